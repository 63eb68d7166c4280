/** Prints stored bytes as annotated lines, for golden files: what the formats in docs/format/ say, field by field. */

/** Bytes of one file with a cursor; every call prints one field. */
export class Annotator {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly lines: string[] = [];
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  heading(text: string): void {
    this.lines.push(`# ${text}`);
  }

  /** One field of `size` bytes; integers up to 8 bytes are shown as numbers too. */
  field(size: number, label: string): bigint {
    const hex = Array.from(this.bytes.subarray(this.at, this.at + Math.min(size, 32)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join(' ');
    let value = 0n;
    for (let index = Math.min(size, 8) - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(this.view.getUint8(this.at + index));
    const isNumber = size === 1 || size === 2 || size === 4 || size === 8;
    const place = this.at.toString(16).padStart(6, '0');
    const more = size > 32 ? ` … ${size} bytes` : '';
    this.lines.push(`${place}  ${hex.padEnd(24)}${more}  ${label}${isNumber ? ` = ${value}` : ''}`);
    this.at += size;
    return value;
  }

  /** Bytes that must be zero. */
  zeros(size: number, label: string): void {
    if (size === 0) return;
    const isZero = this.bytes.subarray(this.at, this.at + size).every((byte) => byte === 0);
    const place = this.at.toString(16).padStart(6, '0');
    this.lines.push(`${place}  ${isZero ? `${size} zero bytes` : 'NOT ZERO'}  ${label}`);
    this.at += size;
  }

  text(): string {
    return `${this.lines.join('\n')}\n`;
  }
}

const encodings = [
  '',
  'constant',
  'raw',
  'frame',
  'delta',
  'run length',
  'dictionary',
  'decimal float',
  'strings',
];

/** A node and what is inside, children indented by their heading. */
export function annotateNode(out: Annotator, path: string): void {
  const start = out.at;
  out.heading(path);
  const encoding = Number(out.field(1, 'encoding'));
  out.heading(`${path}: ${encodings[encoding]}`);
  out.field(1, 'family');
  const width = Number(out.field(1, 'width'));
  out.field(1, 'flags');
  const count = Number(out.field(4, 'count'));
  const end = start + Number(out.field(4, 'length'));
  const aux = Number(out.field(4, 'aux'));
  out.field(8, 'base');
  out.field(8, 'factor');
  if (encoding === 5 || encoding === 6) {
    annotateNode(out, `${path}.${encoding === 5 ? 'ends' : 'codes'}`);
    annotateNode(out, `${path}.values`);
  } else if (encoding === 7) annotateNode(out, `${path}.integers`);
  else if (encoding === 8) {
    for (let anchor = 0; anchor < aux; anchor++) out.field(4, `start of value ${anchor * 64}`);
    out.zeros((8 - (out.at % 8)) % 8, 'padding');
    annotateNode(out, `${path}.lengths`);
  } else if (encoding === 4) {
    for (let anchor = 0; anchor < aux; anchor++) out.field(8, `bits of anchor ${anchor * 128}`);
  }
  if (end > out.at) out.field(end - out.at, `body (${count} values, width ${width})`);
}
