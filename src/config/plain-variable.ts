/**
 * Which variables for a program hold no secret, told by what they are called and by what is in them: a zone, a language,
 * a path, a host, a switch. Every other literal may be one, whatever its name: rather one too many than one too few.
 */
import { isSecretName } from './secret-name.ts';

const switchValue = /^(true|false|yes|no|on|off|\d{1,3})$/i;
/** Well-known names, and endings that say what a value is; each with what such a value looks like. */
const plain: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(TZ|LANG|LANGUAGE|LC_[A-Z]+|TERM|SHELL|PATH|HOME|TMPDIR|KUBECONFIG)$/, /./s],
  [/^(USER|LOGNAME)$|_(USER|USERNAME|DATABASE|DB|REGION|TYPE|PROVIDER)$/, /^[\w.@-]+:?$/],
  [/_(DIR|FOLDER|PATH|FILE)$/, /^[./~]/],
  [/_(PORT|API|VERSION|TIMEOUT|LEVEL)$/, /^[\w.]{1,12}$/],
  [/_(HOSTS?|SERVERS?|ENDPOINTS?|ADDR|ADDRESS)$/, /^(([a-z][a-z0-9+.-]*:\/\/)?[\w.-]+(:\d+)?\/?(,|$))+$/],
];

/** `value`: the literal part, where the rest is looked up. */
export function isPlainVariable(name: string, value: string): boolean {
  if (isSecretName(name)) return false;
  return switchValue.test(value) || plain.some(([names, values]) => names.test(name) && values.test(value));
}
