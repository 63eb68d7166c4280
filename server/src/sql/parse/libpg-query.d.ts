/** The emscripten factory inside the libpg-query package (the package's own wrapper is not used, see parser.ts). */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface PgQueryModule {
    HEAPU8: Uint8Array;
    HEAPU32: Uint32Array;
    _malloc(sizeBytes: number): number;
    _free(address: number): void;
    _wasm_parse_query_raw(address: number): number;
    _wasm_free_parse_result(address: number): void;
    _wasm_parse_plpgsql(address: number): number;
    _wasm_free_string(address: number): void;
    UTF8ToString(address: number): string;
  }
  const factory: (options?: Record<string, unknown>) => Promise<PgQueryModule>;
  export default factory;
}
