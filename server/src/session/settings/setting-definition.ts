/** Shape of a setting's description. Boot values in the unit of the setting; `report` sends ParameterStatus on change. */

export type SettingContext =
  | 'internal'
  | 'postmaster'
  | 'sighup'
  | 'superuser'
  | 'user'
  | 'backend'
  | 'superuser-backend';

export interface SettingDefinition {
  readonly name: string;
  readonly type: 'boolean' | 'integer' | 'real' | 'string' | 'enum';
  readonly bootValue: string;
  readonly context: SettingContext;
  readonly category: string;
  readonly unit?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: readonly string[];
  readonly report?: boolean;
}
