/** `like_regex`: XQuery's flags on our regular expressions. */
import { setJsonPathRegexCheck } from '../../../types/jsonpath/parse.ts';
import type { RegexOptions } from '../../../types/jsonpath/tree.ts';
import { compileRegex, DEFAULT_FLAGS, type Regex } from '../regex/index.ts';

export function pathRegex(pattern: string, options: RegexOptions): Regex {
  return compileRegex(pattern, {
    ...DEFAULT_FLAGS,
    ignoreCase: options.ignoreCase,
    form: options.isLiteral ? 'literal' : 'advanced',
    dotExcludesNewline: !options.isLiteral && !options.dotMatchesNewline,
    lineAnchors: !options.isLiteral && options.multiLine,
  });
}

setJsonPathRegexCheck((pattern, options) => {
  pathRegex(pattern, options);
});
