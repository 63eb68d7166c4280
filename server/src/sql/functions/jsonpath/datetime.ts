/** `.datetime()`: strings to dates and times, by a template or by the ISO forms. */
import { DbError } from '../../../base/error.ts';
import { timestampFromParts } from '../../../types/calendar.ts';
import { TimeTz } from '../../../types/interval.ts';
import { OID } from '../../../types/oid.ts';
import { readStandardDateTime } from '../read-date.ts';
import { DateTimeItem } from './items.ts';

/** Forms tried in order where no template is given. */
const ISO_TEMPLATES: readonly string[] = [
  'YYYY-MM-DD',
  ...['', 'YYYY-MM-DD ', 'YYYY-MM-DD"T"'].flatMap((date) =>
    ['.US', ''].flatMap((fraction) =>
      ['TZH:TZM', 'TZH', ''].map((zone) => `${date}HH24:MI:SS${fraction}${zone}`),
    ),
  ),
];

/** Reads a text by a template with exact separators; the template's fields say the type. */
export function parseDateTime(text: string, template: string): DateTimeItem {
  const { date, microseconds, offset, hasDate, hasTime, hasZone } = readStandardDateTime(text, template);
  if (hasDate && hasTime) {
    const local = timestampFromParts(date, microseconds);
    if (!hasZone) return new DateTimeItem(OID.TIMESTAMP, local, 0);
    if (offset === null) throw missingZone('timestamptz');
    return new DateTimeItem(OID.TIMESTAMPTZ, local - BigInt(offset) * 1_000_000n, offset);
  }
  if (hasDate) {
    if (hasZone) {
      throw new DbError('invalid_datetime_format', 'datetime format is zoned but not timed');
    }
    return new DateTimeItem(OID.DATE, date, 0);
  }
  if (!hasTime) {
    throw new DbError('invalid_datetime_format', 'datetime format is not dated and not timed');
  }
  if (!hasZone) return new DateTimeItem(OID.TIME, microseconds, 0);
  if (offset === null) throw missingZone('timetz');
  return new DateTimeItem(OID.TIMETZ, new TimeTz(microseconds, -offset), offset);
}

function missingZone(type: string): DbError {
  return new DbError('invalid_datetime_format', `missing time zone in input string for type ${type}`);
}

/** Tries the ISO forms. */
export function parseIsoDateTime(text: string): DateTimeItem {
  for (const template of ISO_TEMPLATES) {
    try {
      return parseDateTime(text, template);
    } catch (error) {
      if (!(error instanceof DbError) || !error.code.startsWith('22')) throw error;
    }
  }
  throw new DbError(
    'invalid_argument_for_sql_json_datetime_function',
    `datetime format is not recognized: "${text}"`,
    { hint: 'Use a datetime template argument to specify the input data format.' },
  );
}
