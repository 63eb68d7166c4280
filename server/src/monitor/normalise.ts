/**
 * Statement texts without their constants: `where id = 5 and name = 'x'` becomes `where id = $1 and name = $2`, white space and comments
 * shrink. What differs only in constants shares one account, and constants (passwords too) are shown nowhere.
 */

const WORD = /[A-Za-z_\u0080-\uffff]/;
const WORD_PART = /[\w$\u0080-\uffff]/;

/** Text with $n for constants; parameters of the text itself keep their numbers. */
export function normaliseStatement(text: string): string {
  let next = highestParameter(text) + 1;
  let out = '';
  let at = 0;
  let isSpacePending = false;
  const emit = (part: string): void => {
    if (isSpacePending && out !== '') out += ' ';
    isSpacePending = false;
    out += part;
  };
  while (at < text.length) {
    const character = text[at];
    if (
      character === ' ' ||
      character === '\n' ||
      character === '\t' ||
      character === '\r' ||
      character === '\f'
    ) {
      isSpacePending = true;
      at++;
      continue;
    }
    if (character === '-' && text[at + 1] === '-') {
      at = endOfLine(text, at);
      isSpacePending = true;
      continue;
    }
    if (character === '/' && text[at + 1] === '*') {
      at = endOfComment(text, at);
      isSpacePending = true;
      continue;
    }
    if (character === "'") {
      at = endOfString(text, at, false);
      emit(`$${next++}`);
      continue;
    }
    if (character === '"') {
      const end = endOfQuoted(text, at);
      emit(text.slice(at, end));
      at = end;
      continue;
    }
    if (character === '$') {
      const parameter = /^\$\d+/.exec(text.slice(at, at + 12));
      if (parameter !== null) {
        emit(parameter[0]);
        at += parameter[0].length;
        continue;
      }
      const tag = /^\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(text.slice(at, at + 70));
      if (tag !== null) {
        const end = text.indexOf(tag[0], at + tag[0].length);
        at = end < 0 ? text.length : end + tag[0].length;
        emit(`$${next++}`);
        continue;
      }
    }
    if (WORD.test(character)) {
      // E'…', B'…', X'…', N'…', U&'…'
      const prefix = /^(?:[EeBbXxNn]|[Uu]&)'/.exec(text.slice(at, at + 3));
      if (prefix !== null) {
        at = endOfString(text, at + prefix[0].length - 1, /^[Ee]/.test(prefix[0]));
        emit(`$${next++}`);
        continue;
      }
      let end = at + 1;
      while (end < text.length && WORD_PART.test(text[end])) end++;
      emit(text.slice(at, end));
      at = end;
      continue;
    }
    if (isDigit(character) || (character === '.' && isDigit(text[at + 1]))) {
      const number = /^(?:0[xX][\da-fA-F]+|\d*\.?\d*(?:[eE][+-]?\d+)?)/.exec(text.slice(at, at + 400));
      at += Math.max(1, number?.[0].length ?? 1);
      emit(`$${next++}`);
      continue;
    }
    emit(character);
    at++;
  }
  return out.replace(/\s*;\s*$/, '');
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function highestParameter(text: string): number {
  if (!text.includes('$')) return 0;
  let highest = 0;
  for (const match of text.matchAll(/\$(\d{1,5})/g)) highest = Math.max(highest, Number(match[1]));
  return highest;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** Comments nest. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth++;
      at++;
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function endOfString(text: string, start: number, hasEscapes: boolean): number {
  for (let at = start + 1; at < text.length; at++) {
    if (hasEscapes && text[at] === '\\') at++;
    else if (text[at] === "'") {
      if (text[at + 1] === "'") at++;
      else return at + 1;
    }
  }
  return text.length;
}

function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] === '"') at++;
    else return at + 1;
  }
  return text.length;
}

/** 64 bits of FNV-1a over UTF-16 units, as a signed number: stable over restarts. Never 0. */
export function statementHash(text: string): bigint {
  let low = 0x84222325 | 0;
  let high = 0xcbf29ce4 | 0;
  for (let at = 0; at < text.length; at++) {
    low ^= text.charCodeAt(at);
    // Times 2^40 + 0x1b3, in halves.
    const lowProduct = (low >>> 0) * 0x1b3;
    const nextLow = lowProduct | 0;
    const carry = Math.floor(lowProduct / 4294967296);
    high = (Math.imul(high, 0x1b3) + carry + ((low >>> 0) << 8)) | 0;
    low = nextLow;
  }
  const hash = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  return hash === 0n ? 1n : hash;
}
