/** The formats of strings that are kept, as patterns. Each is a part of what its standard allows (e-mail addresses without quotes or comments). */

const MONTH_OF_31 = '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])'
const MONTH_OF_30 = '(0[469]|11)-(0[1-9]|[12][0-9]|30)'
const FEBRUARY = '02-(0[1-9]|1[0-9]|2[0-8])'
const DATE = `[0-9]{4}-(${MONTH_OF_31}|${MONTH_OF_30}|${FEBRUARY})`
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])'
const BYTE = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const LABEL = '[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const HOST = `${LABEL}(\\.${LABEL}){0,9}`
const URI = `https?://${HOST}(:[1-9][0-9]{0,3})?(/[a-zA-Z0-9._~!$&'()*+,;=:@-]*)*(\\?[a-zA-Z0-9._~!$&'()*+,;=:@/?-]*)?(#[a-zA-Z0-9._~-]*)?`

export const FORMATS: ReadonlyMap<string, string> = new Map([
  ['date', `^${DATE}$`],
  ['time', `^${TIME}$`],
  ['date-time', `^${DATE}T${TIME}$`],
  ['uuid', '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'],
  ['email', `^[a-zA-Z0-9]+([._+-][a-zA-Z0-9]+)*@${LABEL}(\\.${LABEL}){0,5}\\.[a-zA-Z]{2,20}$`],
  ['hostname', `^${HOST}$`],
  ['ipv4', `^${BYTE}(\\.${BYTE}){3}$`],
  ['ipv6', '^[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}$'],
  ['uri', `^${URI}$`],
])
