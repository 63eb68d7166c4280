/** Cache keys of the console, in one place. */
export const keys = {
  session: ['session'] as const,
  schema: ['schema'] as const,
  activity: ['activity'] as const,
};
