import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { cacheFolders, modelFolders } from '../../src/model-search/search-folders.ts'

const HOME = join('/', 'home', 'someone')

test('without variables the caches lie in the home folder', () => {
  expect(cacheFolders({}, HOME)).toEqual({ hub: join(HOME, '.cache', 'huggingface', 'hub'), foretoken: join(HOME, '.cache', 'foretoken') })
})

test('HF_HUB_CACHE goes before HF_HOME, which goes before XDG_CACHE_HOME', () => {
  const environment = { XDG_CACHE_HOME: '/xdg', HF_HOME: '/hf', HF_HUB_CACHE: '/hub' }
  expect(cacheFolders(environment, HOME).hub).toBe('/hub')
  expect(cacheFolders({ ...environment, HF_HUB_CACHE: '' }, HOME).hub).toBe(join('/hf', 'hub'))
  expect(cacheFolders({ XDG_CACHE_HOME: '/xdg' }, HOME)).toEqual({
    hub: join('/xdg', 'huggingface', 'hub'),
    foretoken: join('/xdg', 'foretoken'),
  })
})

test('FORETOKEN_MODELS is a list of folders as in PATH', () => {
  expect(modelFolders({ FORETOKEN_MODELS: ['/a', '', '/b'].join(delimiter) })).toEqual(['/a', '/b'])
  expect(modelFolders({})).toEqual([])
})
