/** Types of every node the parser may give, for rooms that execute raw trees. */
export type * from '@pgsql/types';
