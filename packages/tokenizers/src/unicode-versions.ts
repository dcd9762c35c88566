/**
 * What characters are differs between versions of Unicode, and vocabularies were made with the tables of the reference: its punctuation,
 * marks and format characters are those of Unicode 8, its normalisation forms those of Unicode 12.1. JavaScript engines know newer ones.
 * These are the differences, as operands of a character class, from Unicode's DerivedAge up to version 17.
 */

/** Contains every mark, punctuation and format character that came after Unicode 8 and none from before. */
export const AFTER_UNICODE_8 =
  '\\u061d\\u07fd\\u0890-\\u08e2\\u09fd-\\u09fe\\u0a76\\u0afa-\\u0aff\\u0b55\\u0c04-\\u0c3c\\u0c77\\u0c84\\u0d00\\u0d3b-\\u0d3c\\u0d81\\u0eba\\u0ece\\u180f\\u1abf-\\u1aeb\\u1b4e-\\u1b4f\\u1b7d-\\u1b7f\\u1df6-\\u1dfb\\u2e43-\\u2e5d\\ua82c\\ua8c5\\ua8ff\\u{10d24}-\\u{10f89}\\u{11070}-\\u{11074}\\u{110c2}-\\u{110cd}\\u{111cf}\\u{1123e}-\\u{11241}\\u{1133b}\\u{113bb}-\\u{1145e}\\u{11660}-\\u{1166c}\\u{116b9}\\u{1182f}-\\u{11fff}\\u{12ff1}-\\u{1612f}\\u{16d6d}-\\u{16f4f}\\u{16fe2}-\\u{16fe4}\\u{1cf00}-\\u{1cf46}\\u{1e000}-\\u{1e6f5}\\u{1e944}-\\u{1e95f}'

/** Contains every mark and every character that a normalisation form changes that came after Unicode 12.1, and none from before. */
export const AFTER_UNICODE_12 =
  '\\u0897-\\u08d2\\u0b55\\u0c3c\\u0cf3\\u0d81\\u0ece\\u1715\\u180f\\u1abf-\\u1aeb\\u1dfa\\ua7f1-\\ua7f4\\ua82c\\uab69\\u{105c9}-\\u{107ba}\\u{10d69}-\\u{10eff}\\u{10f82}-\\u{10f85}\\u{11070}-\\u{11074}\\u{110c2}\\u{111ce}-\\u{111cf}\\u{11241}\\u{11383}-\\u{113e2}\\u{11930}-\\u{11943}\\u{11b60}-\\u{11b67}\\u{11f00}-\\u{1612f}\\u{16d68}-\\u{16d6a}\\u{16fe4}-\\u{16ff1}\\u{1ccd6}-\\u{1cf46}\\u{1e030}-\\u{1e08f}\\u{1e2ae}\\u{1e4ec}-\\u{1e6f5}\\u{1fbf0}-\\u{1fbf9}'
