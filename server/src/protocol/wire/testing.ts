/** Builders of frontend messages for tests: bytes as a client sends them. */

/** Concatenates byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function int16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export function int32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function cString(text: string): Uint8Array {
  return concat([new TextEncoder().encode(text), Uint8Array.of(0)]);
}

export function message(type: string, ...body: Uint8Array[]): Uint8Array {
  const content = concat(body);
  return concat([Uint8Array.of(type.charCodeAt(0)), int32(content.length + 4), content]);
}

export function startup(parameters: Readonly<Record<string, string>>, version = 0x30000): Uint8Array {
  const fields = Object.entries(parameters).flatMap(([name, value]) => [cString(name), cString(value)]);
  const body = concat([int32(version), ...fields, Uint8Array.of(0)]);
  return concat([int32(body.length + 4), body]);
}

export function query(text: string): Uint8Array {
  return message('Q', cString(text));
}

export function parse(name: string, text: string, types: readonly number[] = []): Uint8Array {
  return message('P', cString(name), cString(text), int16(types.length), ...types.map(int32));
}

export function bind(
  portal: string,
  statement: string,
  values: readonly (Uint8Array | null)[] = [],
  parameterFormats: readonly number[] = [],
  resultFormats: readonly number[] = [],
): Uint8Array {
  return message(
    'B',
    cString(portal),
    cString(statement),
    int16(parameterFormats.length),
    ...parameterFormats.map(int16),
    int16(values.length),
    ...values.map((value) => (value === null ? int32(-1) : concat([int32(value.length), value]))),
    int16(resultFormats.length),
    ...resultFormats.map(int16),
  );
}

export function execute(portal = '', maxRows = 0): Uint8Array {
  return message('E', cString(portal), int32(maxRows));
}

export const sync = message('S');
