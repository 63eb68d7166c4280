/** Rows of pg_timezone_names and pg_timezone_abbrevs. */
import { EPOCH_DIFFERENCE_SECONDS } from '../../../types/calendar.ts';
import type { Datum } from '../../../types/datum.ts';
import { Interval } from '../../../types/interval.ts';
import { findZone } from '../../../types/zone.ts';
import { ZONE_ABBREVIATIONS } from '../../../types/zone-abbreviations.ts';

/** Names that the runtime takes but does not list. */
const UNLISTED =
  'UTC GMT UCT Zulu Universal Greenwich Etc/UTC Etc/GMT Etc/UCT Etc/Zulu Etc/Universal Etc/Greenwich EST MST HST CET MET EET WET EST5EDT CST6CDT MST7MDT PST8PDT ' +
  'US/Eastern US/Central US/Mountain US/Pacific US/Alaska US/Hawaii Asia/Kolkata Asia/Ho_Chi_Minh Asia/Kathmandu Asia/Yangon Europe/Kyiv Japan Singapore Hongkong Israel Turkey Egypt';

const MICROSECONDS = 1_000_000n;

/** One zone at a time: a zone that was not used before costs the runtime some tenths of a millisecond. */
export function* zoneNameRows(now: bigint): Generator<readonly Datum[]> {
  const at = Number(now / MICROSECONDS) + EPOCH_DIFFERENCE_SECONDS;
  const names = new Set([...Intl.supportedValuesOf('timeZone'), ...UNLISTED.split(' ')]);
  for (let hours = -14; hours <= 12; hours++)
    if (hours !== 0) names.add(`Etc/GMT${hours > 0 ? '+' : ''}${hours}`);
  for (const name of [...names].sort()) {
    const zone = findZone(name);
    if (zone === null) continue;
    yield [
      zone.name,
      zone.abbreviationAt(at),
      new Interval(0, 0, BigInt(zone.offsetAt(at)) * MICROSECONDS),
      zone.isDaylight(at),
    ];
  }
}

export function* zoneAbbreviationRows(): Generator<readonly Datum[]> {
  for (const [abbreviation, [offset, isDaylight]] of Object.entries(ZONE_ABBREVIATIONS))
    yield [abbreviation.toUpperCase(), new Interval(0, 0, BigInt(offset) * MICROSECONDS), isDaylight];
}
