/**
 * Rows for the ClickBench table: `hits` with its 105 columns, none of real people.
 *
 * Shape   chunks of about 1 MB of lines, fields separated by `|`, UTF-8. Same rows and seed = same bytes.
 * Skew    counters, hosts, pages, users, phrases and regions after Zipf; most phrases, models and tags are empty; titles and phrases are
 *         Cyrillic and Latin, URLs long; a few users, hashes and the counter 62 are those that the queries ask for.
 */
import { Stream } from '../tpch/random.ts';

const CHUNK_CHARACTERS = 1 << 20;
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2013, 6, 1);
const KNOWN_USER = '435090932899640449';
const KNOWN_REFERER = '3594120000172545465';
const KNOWN_URL = '2868770270353813622';
const COUNTER = 62;

const CYRILLIC =
  'ба ве го де жи за ки ло ме но пе ро си ту фо хи це ша ще эл ре на ко та мо ли да пра сто кни'.split(' ');
const LATIN = 'ba ve go de ji za ki lo me no pe ro si tu fo hi ce sha re na ko ta mo li da pra sto kni'.split(
  ' ',
);
const ZONES = ['ru', 'ru', 'ru', 'com', 'com.ua', 'net', 'org', 'kz'];
const SECTIONS = [
  'catalog',
  'news',
  'forum',
  'topic',
  'real-estate',
  'auto',
  'item',
  'search',
  'photo',
  'video',
  'blog',
  'user',
];
const MODELS = [
  'iPad',
  'iPhone',
  'GT-I9300',
  'A500',
  'Galaxy Nexus',
  'Lumia 800',
  'HTC One',
  'Xperia',
  'N8-00',
  'GT-P3100',
];
const RESOLUTIONS = [
  [1368, 768],
  [1280, 1024],
  [1920, 1080],
  [1024, 768],
  [1440, 900],
  [1600, 900],
  [1280, 800],
  [320, 480],
  [1680, 1050],
  [768, 1024],
];

class Hits {
  private readonly draw: Stream;
  private readonly words: string[];
  private readonly names: string[];
  private readonly hosts: string[];
  private readonly rows: number;

  constructor(rows: number, seed: number) {
    this.rows = rows;
    this.draw = new Stream(seed, 'hits');
    const vocabulary = new Stream(seed, 'words');
    const word = (parts: readonly string[]): string =>
      Array.from(
        { length: vocabulary.between(2, 4) },
        () => parts[vocabulary.between(0, parts.length - 1)],
      ).join('');
    this.words = Array.from({ length: 6000 }, () => word(CYRILLIC));
    this.names = Array.from({ length: 4000 }, () => word(LATIN));
    this.hosts = Array.from({ length: 5000 }, (_, index) => {
      const zone = ZONES[vocabulary.between(0, ZONES.length - 1)];
      const www = vocabulary.between(0, 3) === 0 ? 'www.' : '';
      if (index % 97 === 40) return `${www}google.${zone}`;
      return `${www}${this.names[vocabulary.between(0, this.names.length - 1)]}${index % 7 === 0 ? index : ''}.${zone}`;
    });
  }

  /** Rank below `count`, the first ones often. */
  private rank(count: number): number {
    return Math.min(
      count - 1,
      Math.floor(Math.exp((this.draw.bits() / 4294967296) * Math.log(count + 1))) - 1,
    );
  }

  /** True once in so many. */
  private once(count: number): boolean {
    return this.draw.between(1, count) === 1;
  }

  /** A 63-bit number that belongs to an index. */
  private static wide(index: number, salt: number): string {
    let high = Math.imul(index ^ salt, 0x9e3779b1) ^ (index >>> 3);
    high = Math.imul(high ^ (high >>> 15), 0x85ebca6b);
    let low = Math.imul(index + salt, 0xc2b2ae35) ^ (high >>> 13);
    low = Math.imul(low ^ (low >>> 16), 0x27d4eb2f);
    return ((BigInt(high >>> 1) << 32n) | BigInt(low >>> 0)).toString();
  }

  private text(list: readonly string[], count: number): string {
    let out = list[this.rank(list.length)];
    for (let index = 1; index < count; index++) out += ` ${list[this.rank(list.length)]}`;
    return out;
  }

  /** A page is determined by its host and number, so that equal ones repeat. */
  private page(host: number, number: number): string {
    const name = this.names[(host * 31 + number) % this.names.length];
    const section = SECTIONS[(host + number) % SECTIONS.length];
    const base = `http://${this.hosts[host]}/${section}/${name}`;
    if (number % 19 === 7)
      return `${base}/?q=${this.words[number % this.words.length]}&from=google&page=${number}`;
    if (number % 3 === 0) return `${base}/${number}.html`;
    if (number % 3 === 1) return `${base}/view.php?id=${number * 7}&sort=newly&per_page=40&utm=${name}`;
    return `${base}/${this.names[(number * 17) % this.names.length]}/${number}/index.html#comment-${number % 10}`;
  }

  line(): string {
    const { draw } = this;
    const users = Math.max(100, Math.floor(this.rows / 6));
    const user = this.once(2) ? draw.between(0, users - 1) : this.rank(users);
    const userId = this.once(200_000) ? KNOWN_USER : Hits.wide(user, 77);
    const counterRank = this.rank(4000);
    const counter = counterRank === 7 ? COUNTER : 100 + counterRank * 37;
    const host = counterRank === 7 ? 11 : this.rank(this.hosts.length);
    const pages = Math.max(50, Math.floor(this.rows / 40));
    const pageNumber = this.once(4) ? draw.between(0, pages - 1) : this.rank(pages);
    const url = this.page(host, pageNumber);
    const refererNumber = this.rank(5000);
    const hasReferer = !this.once(6);
    const refererHost = this.rank(this.hosts.length);
    const referer = hasReferer ? this.page(refererHost, refererNumber) : '';
    const day = draw.between(0, 30);
    const moment = FIRST_DAY + day * DAY + draw.between(0, 86_399) * 1000;
    const at = new Date(moment).toISOString();
    const date = at.slice(0, 10);
    const time = `${date} ${at.slice(11, 19)}`;
    const hasPhrase = this.once(7);
    const phrase = hasPhrase
      ? this.once(3)
        ? this.text(this.names, draw.between(1, 3))
        : this.text(this.words, draw.between(1, 6))
      : '';
    const title = this.once(12)
      ? ''
      : this.once(60)
        ? `Google ${this.words[(host + pageNumber) % this.words.length]} ${pageNumber}`
        : `${this.words[(host * 13 + pageNumber) % this.words.length]} ${this.words[(host + pageNumber * 3) % this.words.length]} – ${this.words[host % this.words.length]} ${this.hosts[host]} ${pageNumber % 40}`;
    const isMobile = this.once(14);
    const model = isMobile ? MODELS[this.rank(MODELS.length)] : '';
    const [width, height] = RESOLUTIONS[this.rank(RESOLUTIONS.length)];
    const advert = this.once(40) ? draw.between(1, 27) : 0;
    const engine = hasPhrase ? [2, 3, 4, 13, 25, 36][this.rank(6)] : 0;
    const isRefresh = this.once(9) ? 1 : 0;
    const clientIp = (Math.imul(user, 0x9e3779b1) ^ (this.once(5) ? draw.between(0, 255) : 0)) | 0;
    const source = hasPhrase ? 2 : [-1, 1, 3, 6, 0][this.rank(5)];
    const refererHash = hasReferer
      ? this.once(40)
        ? KNOWN_REFERER
        : Hits.wide(refererHost * 5000 + refererNumber, 5)
      : '0';
    const urlHash = this.once(30) ? KNOWN_URL : Hits.wide(host * 25_000 + pageNumber, 9);
    const small = (high: number): number => draw.between(0, high);
    const tag = (share: number, value: string): string => (this.once(share) ? value : '');
    const campaign = this.rank(300);
    return [
      Hits.wide(draw.bits() >>> 1, draw.bits() >>> 2),
      1 - Number(this.once(8)),
      title,
      1,
      time,
      date,
      counter,
      clientIp,
      this.once(3) ? 229 : this.rank(5000) + 1,
      userId,
      small(1),
      [44, 2, 5, 46, 48][this.rank(5)],
      [2, 3, 5, 7, 42, 82][this.rank(6)],
      this.once(900) ? '' : url,
      referer,
      isRefresh,
      this.once(4) ? small(120) * 10 : 0,
      small(400),
      small(200) * 50,
      small(400),
      width,
      height,
      [32, 24, 23][this.rank(3)],
      11 + small(2),
      small(9),
      String(small(900)),
      small(4),
      small(1),
      10 + small(20),
      String.fromCharCode(68 + small(8), 79 + small(3)),
      1,
      1,
      isMobile ? 1 : 0,
      isMobile ? 1 + this.rank(80) : 0,
      model,
      '',
      this.rank(50_000) * 83,
      source,
      engine,
      phrase,
      advert,
      0,
      Math.max(0, width - small(200)),
      Math.max(0, height - small(300)),
      135 + small(9) * 15,
      time,
      small(5),
      small(2),
      small(9) === 0 ? 60_310 : 0,
      0,
      tag(2, 'windows-1251') || 'utf-8',
      1601,
      this.once(6) ? 1 : 0,
      this.once(70) ? 1 : 0,
      0,
      this.once(3) ? '0' : Hits.wide(user, 31),
      tag(9, url),
      draw.bits() | 0,
      0,
      0,
      0,
      this.once(10) ? 1 : 0,
      0,
      ['5', 'g', 'E', 'T', 'D'][this.rank(5)],
      time,
      [0, 22, 26, 31, 50][this.rank(5)],
      this.rank(3),
      this.rank(4),
      this.rank(30_000),
      this.rank(80),
      clientIp ^ small(3),
      this.once(3) ? -1 : draw.bits() | 0,
      this.once(3) ? -1 : small(20_000),
      this.once(4) ? -1 : small(30),
      ['S0', 'nA', 'ru', 'NH'][this.rank(4)],
      ['nt', '\u041c', 'hD', 'ru'][this.rank(4)],
      '',
      tag(400, 'like'),
      small(400) === 0 ? 404 : 0,
      small(800),
      this.rank(900),
      this.rank(2000),
      this.rank(4000),
      this.rank(9000),
      this.rank(3000),
      0,
      tag(2000, referer),
      0,
      '',
      'NH\u001c',
      0,
      tag(300, 'direct.yandex.ru'),
      tag(300, String(campaign * 1237)),
      tag(300, String(campaign * 773)),
      '',
      tag(60, 'newsletter'),
      tag(60, 'email'),
      tag(60, `spring-${campaign}`),
      tag(200, 'banner'),
      tag(200, phrase),
      tag(300, 'rss'),
      this.once(90) ? 1 : 0,
      refererHash,
      urlHash,
      0,
    ].join('|');
  }
}

/** The table's text. */
export function* generateHits(rows: number, seed = 1): Generator<Buffer> {
  const hits = new Hits(rows, seed);
  let lines = '';
  for (let row = 0; row < rows; row++) {
    lines += `${hits.line()}\n`;
    if (lines.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(lines);
      lines = '';
    }
  }
  if (lines !== '') yield Buffer.from(lines);
}
