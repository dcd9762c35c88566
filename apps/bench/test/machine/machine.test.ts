import { expect, test } from 'vitest'
import { featuresFrom } from '../../src/machine/machine.ts'

test('features are whole words among the flags', () => {
  const information = 'processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni_x\nbugs\t\t: none\n'
  expect(featuresFrom(information)).toEqual({ avx2: true, avx512Vnni: false, avxVnni: false })
})

test('both kinds of VNNI are told apart', () => {
  expect(featuresFrom('flags : avx512_vnni')).toMatchObject({ avx512Vnni: true, avxVnni: false })
  expect(featuresFrom('flags : avx_vnni')).toMatchObject({ avx512Vnni: false, avxVnni: true })
})

test('where no flags are listed nothing is claimed', () => {
  expect(featuresFrom('')).toEqual({})
})
