/** Building a module: imported memory and functions, own functions, exports. */
import { assert } from '../../../base/error.ts';
import { ByteWriter } from './bytes.ts';
import { FunctionBuilder } from './function-builder.ts';
import { VALUE_TYPE, type WasmType } from './opcodes.ts';

interface Signature {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

/** Numbers of pages in a memory import. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** See the module comment. Imports first, then functions; `finish` gives the bytes. */
export class ModuleBuilder {
  private readonly signatures: Signature[] = [];
  private readonly imported: { module: string; name: string; signature: number }[] = [];
  private memory: { module: string; name: string; limits: MemoryLimits } | null = null;
  private readonly functions: { signature: number; body: ByteWriter }[] = [];
  private readonly exported: { name: string; index: number }[] = [];

  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.memory = { module, name, limits };
  }

  /** Index of the function for calls. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): number {
    assert(this.functions.length === 0, 'wasm imports come before functions');
    this.imported.push({ module, name, signature: this.signature(parameters, results) });
    return this.imported.length - 1;
  }

  /** Builds a function at once; exported under `name` unless null. Returns its index. */
  function(
    name: string | null,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
    build: (builder: FunctionBuilder) => void,
  ): number {
    const builder = new FunctionBuilder(parameters, results);
    build(builder);
    this.functions.push({ signature: this.signature(parameters, results), body: builder.finish() });
    const index = this.imported.length + this.functions.length - 1;
    if (name !== null) this.exported.push({ name, index });
    return index;
  }

  finish(): Uint8Array {
    const out = new ByteWriter();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.u8(byte);
    section(out, 1, this.signatures, (body, { parameters, results }) => {
      body.u8(0x60);
      for (const types of [parameters, results]) {
        body.unsigned(types.length);
        for (const type of types) body.u8(VALUE_TYPE[type]);
      }
    });
    const imports: ((body: ByteWriter) => void)[] = [];
    for (const { module, name, signature } of this.imported) {
      imports.push((body) => {
        body.name(module);
        body.name(name);
        body.u8(0);
        body.unsigned(signature);
      });
    }
    if (this.memory !== null) {
      const { module, name, limits } = this.memory;
      imports.push((body) => {
        body.name(module);
        body.name(name);
        body.u8(2);
        body.u8(limits.shared ? 3 : 1);
        body.unsigned(limits.initial);
        body.unsigned(limits.maximum);
      });
    }
    section(out, 2, imports, (body, write) => write(body));
    section(out, 3, this.functions, (body, { signature }) => body.unsigned(signature));
    section(out, 7, this.exported, (body, { name, index }) => {
      body.name(name);
      body.u8(0);
      body.unsigned(index);
    });
    section(out, 10, this.functions, (body, { body: code }) => {
      body.unsigned(code.length);
      body.append(code);
    });
    return out.finish();
  }

  private signature(parameters: readonly WasmType[], results: readonly WasmType[]): number {
    const found = this.signatures.findIndex(
      (other) => other.parameters.join() === parameters.join() && other.results.join() === results.join(),
    );
    if (found >= 0) return found;
    this.signatures.push({ parameters, results });
    return this.signatures.length - 1;
  }
}

function section<E>(
  out: ByteWriter,
  id: number,
  entries: readonly E[],
  write: (body: ByteWriter, entry: E) => void,
): void {
  if (entries.length === 0) return;
  const body = new ByteWriter();
  body.unsigned(entries.length);
  for (const entry of entries) write(body, entry);
  out.u8(id);
  out.unsigned(body.length);
  out.append(body);
}
