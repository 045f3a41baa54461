/**
 * Passwords among the words of a command: `--password X`, `--token=X`, `-p X`, `-pX`, `-u me:X`. Rather one word too many
 * than one too few, but ports, users and folders stay. The program's own environment is the place for secrets; this is
 * for those that stand in a config all the same.
 */
const secretOption =
  /^--?(?!-|no-)([\w-]*-)?(password|passwd|pass|passphrase|pw|pwd|token|secret|auth|cred|credentials?|api-?key|(access|secret)-key)$/i;
/** Of these `-p` means something else than a password, or a port. */
const plainPrograms = /^(.*\/)?(mkdir|cp|tar|install|find)$/;
const plainNumber = /^[\d.:]+$/;
/** find's and its like: one dash, yet no `-p` with a value. */
const plainWord = /^-p(rint0?|rintf|ath|erm|rune|ass(in|out)?)$/;

export interface SecretPart {
  /** What stays to be seen. */
  readonly head: string;
  readonly secret: string;
  /** No mere suspicion: worth hiding in every other text, too. */
  readonly certain: boolean;
}

/** Of what `-p`, `-u` and variables bring, this is a password, and neither a word of every day nor a path. */
export function isPasswordLike(text: string): boolean {
  return /^(?=.*\d)(?=.*[a-z])(?![./~])\S{6,}$/i.test(text);
}

/** What of `word` is secret, behind the words `before` of the same command; undefined where nothing is. */
export function secretPart(word: string, before: readonly string[]): SecretPart | undefined {
  const [, option = '', assigned = ''] = /^(--?[\w-]+)=(.+)$/s.exec(word) ?? [];
  if (secretOption.test(option)) return { head: `${option}=`, secret: assigned, certain: true };
  const [, flag = '', attached = ''] = /^(-u|--user=)(.+)$/s.exec(word) ?? [];
  if (flag !== '') return ofUser(flag, attached);
  return ofShortOption(word, before) ?? behindOption(word, before);
}

/** `-pX`. */
function ofShortOption(word: string, before: readonly string[]): SecretPart | undefined {
  if (!word.startsWith('-p') || word.length === 2) return undefined;
  const isPlain = plainWord.test(word) || plainNumber.test(word.slice(2)) || plainFor(before);
  return isPlain ? undefined : doubtful('-p', word.slice(2));
}

/** `-u me:X`, `--password X`, `-p X`. */
function behindOption(word: string, before: readonly string[]): SecretPart | undefined {
  const last = before.at(-1) ?? '';
  if (last === '-u' || last === '--user') return ofUser('', word);
  if (word === '' || word.startsWith('-')) return undefined;
  if (secretOption.test(last)) return { head: '', secret: word, certain: true };
  const isPassword = last === '-p' && !plainNumber.test(word) && !plainFor(before);
  return isPassword ? doubtful('', word) : undefined;
}

/** `me:X`; a name alone and `1000:1000` are no secrets. */
function ofUser(flag: string, value: string): SecretPart | undefined {
  const [, user = '', secret = ''] = /^([^:]*:)(.+)$/s.exec(value) ?? [];
  return secret === '' || plainNumber.test(value) ? undefined : doubtful(flag + user, secret);
}

function doubtful(head: string, secret: string): SecretPart {
  return { head, secret, certain: isPasswordLike(secret) };
}

function plainFor(before: readonly string[]): boolean {
  return plainPrograms.test(before.findLast((each) => !each.startsWith('-')) ?? '');
}

const token = /((?:'[^']*'|"[^"]*"|[^\s'"]|['"])+)/g;

/** `text`, a word or a whole command line, with `hide` made of what is secret in it. */
export function replaceSecretWords(
  text: string,
  before: readonly string[],
  hide: (part: SecretPart) => string,
): string {
  const whole = secretPart(text, before);
  if (whole !== undefined) return whole.head + hide(whole);
  if (!/\s/.test(text)) return text;
  const words: string[] = [];
  return text.replace(token, (word) => {
    const [, quote = '', inner = ''] = /^(['"])(.*)\1$/s.exec(word) ?? [];
    const bare = quote === '' ? word : inner;
    const shown = replaceSecretWords(bare, words, hide);
    words.push(bare);
    return shown === bare ? word : quote + shown + quote;
  });
}
