import type { Block, Declaration, Target, TypeText } from './ast.ts';
import { declare, labelOf, lookUp, nameOf } from './names.ts';
import type { Token } from './scanner.ts';
import { TokenReader } from './token-reader.ts';

export abstract class DeclarationParser extends TokenReader {
  protected declaration(block: Block): void {
    const start = this.token;
    if (start.kind !== 'word') throw this.syntaxError();
    this.at++;
    const { text: name, line } = start;
    const add = (declaration: Declaration): void => {
      if (lookUp(this.names, [name], true) !== null) throw this.error('duplicate declaration', start);
      block.declarations.push(declaration);
      this.names = nameOf(name, declaration, this.names);
    };
    if (this.take('alias')) {
      this.expect('for');
      const { token } = this;
      const parts = token.kind === 'parameter' ? [`$${token.text}`] : null;
      if (parts !== null) this.at++;
      const found = parts !== null ? lookUp(this.names, parts) : lookUp(this.names, this.dottedName());
      if (found === null)
        throw this.error(
          `variable "${this.body.slice(token.start, token.end)}" does not exist`,
          token,
          'undefined_object',
        );
      this.expectSymbol(';');
      this.names = nameOf(name, found.declaration, this.names);
      return;
    }
    const declaration = declare(name, { kind: 'record' }, { line, position: start.start });
    let scroll: boolean | null = null;
    if (this.isWord('no') && this.isWord('scroll', this.peek())) {
      this.at += 2;
      scroll = false;
    } else if (this.isWord('scroll')) {
      this.at++;
      scroll = true;
    }
    if (this.take('cursor')) {
      const outer = this.names;
      this.names = labelOf('', 'other', null, this.names);
      const args: { name: string; declaration: Declaration }[] = [];
      if (this.takeSymbol('(')) {
        do {
          const argument = this.token;
          const argumentName = this.identifier();
          const argumentDeclaration = declare(argumentName, this.dataType(), {
            line: argument.line,
            position: argument.start,
          });
          args.push({ name: argumentName, declaration: argumentDeclaration });
          block.declarations.push(argumentDeclaration);
          this.names = nameOf(argumentName, argumentDeclaration, this.names);
        } while (this.takeSymbol(','));
        this.expectSymbol(')');
      }
      if (!this.take('is') && !this.take('for')) throw this.syntaxError('syntax error, expected "FOR"');
      const query = this.sqlUntil([';'], 'statement');
      this.expectSymbol(';');
      this.names = outer;
      declaration.type = { kind: 'cursor' };
      declaration.cursor = { query, args, scroll };
      add(declaration);
      return;
    }
    if (scroll !== null) throw this.syntaxError();
    if (this.take('constant')) declaration.constant = true;
    declaration.type = this.dataType();
    if (this.take('collate')) declaration.collation = this.dottedName();
    if (this.isWord('not')) {
      this.at++;
      this.expect('null');
      declaration.notNull = true;
    }
    if (this.isSymbol(':=') || this.isSymbol('=') || this.isWord('default')) {
      this.at++;
      declaration.initial = this.sqlUntil([';'], 'expression');
    } else if (declaration.notNull)
      throw this.error(
        `variable "${name}" must have a default value, since it's declared NOT NULL`,
        this.token,
        'null_value_not_allowed',
      );
    this.expectSymbol(';');
    add(declaration);
  }

  protected dataType(): TypeText {
    const first = this.token;
    if (first.kind === 'end') throw this.syntaxError('incomplete data type declaration');
    if (first.kind === 'word' && !first.quoted && first.text === 'record') {
      const next = this.peek();
      if (!this.isSymbol('.', next) && !this.isSymbol('%', next)) {
        this.at++;
        return { kind: 'record' };
      }
    }
    if (first.kind === 'word' || first.kind === 'keyword') {
      // name[.name[.name]]%TYPE or %ROWTYPE
      let distance = 1;
      const parts = [first.text];
      while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind !== 'end') {
        parts.push(this.peek(distance + 1).text);
        distance += 2;
      }
      const after = this.peek(distance + 1);
      if (
        this.isSymbol('%', this.peek(distance)) &&
        (this.isWord('type', after) || this.isWord('rowtype', after))
      ) {
        this.at += distance + 2;
        const row = after.text === 'rowtype';
        const found = row ? null : lookUp(this.names, parts);
        return {
          kind: 'like',
          names: parts,
          row,
          position: first.start,
          ofDeclaration: found !== null && found.used === parts.length ? found.declaration : null,
        };
      }
    }
    let depth = 0;
    const start = this.token.start;
    let end = start;
    for (;;) {
      const { token } = this;
      if (token.kind === 'end') {
        if (depth > 0) throw this.syntaxError('mismatched parentheses');
        throw this.syntaxError('incomplete data type declaration');
      }
      if (this.isSymbol(';')) break;
      if (depth === 0) {
        if (
          this.isWord('collate') ||
          this.isWord('not') ||
          this.isWord('default') ||
          this.isSymbol(':=') ||
          this.isSymbol('=') ||
          this.isSymbol(',') ||
          this.isSymbol(')')
        )
          break;
      }
      if (this.isSymbol('(')) depth++;
      else if (this.isSymbol(')')) depth--;
      end = token.end;
      this.at++;
    }
    if (end === start) throw this.error('missing data type declaration', this.token);
    if (depth !== 0) throw this.syntaxError('mismatched parentheses');
    return { kind: 'named', text: this.body.slice(start, end), position: start };
  }

  /** The variable a name of the body means; null when it is none. */
  protected variableHere(): { declaration: Declaration; field: string | null; count: number } | null {
    const { token } = this;
    if (token.kind === 'parameter') {
      const found = lookUp(this.names, [`$${token.text}`]);
      return found === null ? null : { declaration: found.declaration, field: null, count: 1 };
    }
    if (token.kind !== 'word') return null;
    const parts = [token.text];
    let distance = 1;
    while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind !== 'symbol') {
      parts.push(this.peek(distance + 1).text);
      distance += 2;
    }
    const found = lookUp(this.names, parts);
    if (found === null) return null;
    const rest = parts.slice(found.used);
    // Deeper paths are left to the expression parser.
    return {
      declaration: found.declaration,
      field: rest[0] ?? null,
      count: 1 + 2 * (Math.min(parts.length, found.used + 1) - 1),
    };
  }

  protected requireVariable(): { declaration: Declaration; field: string | null } {
    const { token } = this;
    const found = this.variableHere();
    if (found === null) {
      if (token.kind === 'word' || token.kind === 'parameter') {
        const parts = this.dottedText();
        throw this.error(`"${parts}" is not a known variable`, token);
      }
      throw this.syntaxError();
    }
    this.at += found.count;
    return { declaration: found.declaration, field: found.field };
  }

  protected checkAssignable(declaration: Declaration, token: Token): void {
    if (declaration.constant)
      throw this.error(`variable "${declaration.name}" is declared CONSTANT`, token, 'error_in_assignment');
  }

  /** One variable, or a comma-separated list of them. */
  protected target(): Target {
    const items: { declaration: Declaration; field: string | null }[] = [];
    do {
      const { token } = this;
      const item = this.requireVariable();
      this.checkAssignable(item.declaration, token);
      items.push(item);
    } while (this.takeSymbol(','));
    return items.length === 1 ? { kind: 'variable', ...items[0] } : { kind: 'list', items };
  }
}
