/** All kernels in TypeScript: the truth in tests, and what runs where no addon can be built. */
import type { Kernels } from '../contract.ts';
import { crc32c } from './checksum.ts';
import { expandRuns, narrow, unpackBits } from './decode.ts';
import { copyFields, cutLines, parseDates, parseDecimals } from './fields.ts';
import { filterCodes, filterRange, filterRangeF64 } from './filter.ts';
import { countBits, gather, select } from './gather.ts';
import { hashBytes, hashFixed } from './hash.ts';

export const typescriptKernels: Kernels = {
  instructionSet: () => 'typescript',
  filterRange,
  filterRangeF64,
  filterCodes,
  unpackBits,
  narrow,
  expandRuns,
  crc32c,
  hashFixed,
  hashBytes,
  gather,
  select,
  countBits,
  cutLines,
  parseDecimals,
  parseDates,
  copyFields,
  decommit: () => 0,
};
