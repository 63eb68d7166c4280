/** Functions of the extensions we implement, by the symbol names that their catalog rows carry. */
import type { SetFunction } from '../contract.ts';
import { type FunctionTable, setFunction } from '../registry.ts';
import { armorHeaders } from './armor.ts';
import { citextFunctions, citextSetFunctions } from './citext.ts';
import { hstoreFunctions, hstoreSetFunctions } from './hstore.ts';
import { pgcryptoFunctions, uuidFunctions } from './pgcrypto.ts';
import { trigramFunctions } from './trigram.ts';

export const extensionFunctions: FunctionTable = {
  ...pgcryptoFunctions,
  ...uuidFunctions,
  ...trigramFunctions,
  ...hstoreFunctions,
  ...citextFunctions,
};

export const extensionSetFunctions: Record<string, SetFunction> = {
  ...hstoreSetFunctions,
  ...citextSetFunctions,
  pgp_armor_headers: setFunction(true, () => (text: string) => armorHeaders(text)),
};
