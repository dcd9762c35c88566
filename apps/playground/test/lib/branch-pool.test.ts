import { expect, test } from 'vitest'
import { branchPool } from '../../src/lib/branch-pool.ts'
import type { Branch } from '../../src/lib/model-session.ts'
import { standInSession } from '../stand-in-session.ts'

test('the next turn of a conversation takes the cache of the turns before it', async () => {
  const session = standInSession()
  await using pool = branchPool(() => session.openBranch())
  const first = await pool.lend(['question'])
  first.keep(['question', 'answer'])
  const second = await pool.lend(['question', 'answer', 'next'])
  expect(second.branch).toBe(first.branch)
  expect(second.isFork).toBe(false)
})

test('a turn that leaves a conversation forks its cache, and the old branch goes on with the old one', async () => {
  const session = standInSession()
  await using pool = branchPool(() => session.openBranch())
  const first = await pool.lend(['question'])
  first.keep(['question', 'answer'])
  const branch = await pool.lend(['question'])
  expect(branch.isFork).toBe(true)
  branch.keep(['question', 'other answer'])
  const back = await pool.lend(['question', 'answer', 'next'])
  expect(back.branch).toBe(first.branch)
})

test('a fork is made of the cache that shares most turns', async () => {
  const session = standInSession()
  const forked: string[] = []
  const named = (branch: Branch, name: string): Branch => ({
    ...branch,
    fork: async () => {
      forked.push(name)
      return named(await branch.fork(), `${name} fork`)
    },
  })
  await using pool = branchPool(async () => named(await session.openBranch(), 'root'))
  const short = await pool.lend(['a'])
  short.keep(['a', 'b'])
  const long = await pool.lend(['a', 'c', 'd'])
  long.keep(['a', 'c', 'd', 'e'])
  const longer = await pool.lend(['a', 'c', 'd', 'f'])
  longer.keep(['a', 'c', 'd', 'f'])
  const other = await pool.lend(['a', 'x'])
  other.keep(['a', 'x'])
  expect(forked.slice(0, 2)).toEqual(['root', 'root fork'])
})

test('a fork whose generation failed is closed', async () => {
  const session = standInSession()
  await using pool = branchPool(() => session.openBranch())
  const first = await pool.lend(['question'])
  first.keep(['question', 'answer'])
  const branch = await pool.lend(['other question'])
  expect(session.openBranches).toBe(2)
  await branch.undo()
  expect(session.openBranches).toBe(1)
})

test('at most four caches are kept, the one used least recently goes, and closing the pool closes all', async () => {
  const session = standInSession()
  const pool = branchPool(() => session.openBranch())
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const lent = await pool.lend([name])
    lent.keep([name])
  }
  expect(pool.size).toBe(4)
  expect(session.openBranches).toBe(4)
  const kept = await pool.lend(['c', 'next'])
  expect(kept.isFork).toBe(false)
  await pool[Symbol.asyncDispose]()
  expect(session.openBranches).toBe(0)
})
