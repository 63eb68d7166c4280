/**
 * Every setting a client can see, as data: names, types, units, ranges and contexts are PostgreSQL 15's, so that tools
 * find what they look for. Our own settings have the prefix `fastpostgres.`.
 */
import { CLIENT_SETTINGS } from './definitions/client.ts';
import { COMPATIBILITY_SETTINGS } from './definitions/compatibility.ts';
import { QUERY_SETTINGS } from './definitions/query.ts';
import { SERVER_SETTINGS } from './definitions/server.ts';
import { INERT_SETTINGS } from './inert.ts';
import type { SettingDefinition } from './setting-definition.ts';

export const SETTING_DEFINITIONS: readonly SettingDefinition[] = [
  ...CLIENT_SETTINGS,
  ...QUERY_SETTINGS,
  ...SERVER_SETTINGS,
  ...COMPATIBILITY_SETTINGS,
  ...INERT_SETTINGS,
];
