import { expect, test } from 'vitest'
import { sentenceAnnouncer } from '../../src/lib/sentence-announcer.ts'

test('what is read out is whole sentences, never a few words, and the rest at the end', () => {
  const text = 'Yes. It is so. The sky scatters blue light more than red light. In the evening the way is longer!\nThat is all'
  const announcer = sentenceAnnouncer()
  const said = [...text].map((character) => announcer.push(character)).filter((each) => each !== '')
  expect(said).toEqual(['Yes. It is so. The sky scatters blue light more than red light.'])
  expect(announcer.flush()).toBe('In the evening the way is longer!\nThat is all')
  expect(announcer.flush()).toBe('')
})
