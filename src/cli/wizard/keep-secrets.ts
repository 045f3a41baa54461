/** Where the secrets go that were typed: into files beside the config, into variables, or, when told to, into the config. */
import type { AdapterDraft } from './draft.ts';
import { asLiteral } from './draft.ts';
import { checkVariable } from './interview.ts';
import type { Wizard } from './wizard.ts';

export interface SecretFile {
  /** As the config's folder sees it. */
  readonly path: string;
  readonly value: string;
}

export interface KeptSecrets {
  readonly files: readonly SecretFile[];
  /** That have to be set before a run, with what was typed for them. */
  readonly variables: Readonly<Record<string, string>>;
}

type Place = 'file' | 'variable' | 'config';

/** Puts a reference into `options` of the draft for every secret. */
export async function keepSecrets(name: string, draft: AdapterDraft, wizard: Wizard): Promise<KeptSecrets> {
  const files: SecretFile[] = [];
  const variables: Record<string, string> = {};
  for (const [option, value] of Object.entries(draft.secrets)) {
    const words = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const path = `./secrets/${name}-${words}`;
    const place = await askPlace(`${name}: where shall the ${words.replaceAll('-', ' ')} be kept?`, path, wizard);
    if (place === 'file') {
      files.push({ path, value });
      draft.options[option] = `\${file:${path}}`;
    } else if (place === 'variable') {
      const variable = await askVariable(`${name}-${words}`, wizard);
      variables[variable] = value;
      draft.options[option] = `\${${variable}}`;
    } else if (place === 'config') draft.options[option] = asLiteral(value);
  }
  return { files, variables };
}

async function askPlace(message: string, path: string, { interview }: Wizard): Promise<Place | undefined> {
  return interview.choose<Place>({ flag: 'secrets', message, offered: 'file' }, [
    { value: 'file', word: 'file', name: `in a file that only you can read: ${path}` },
    { value: 'variable', word: 'variable', name: 'in a variable of the environment, which you set' },
    {
      value: 'config',
      word: 'config',
      name: 'in the config itself (not recommended: configs are copied, shown and committed)',
    },
  ]);
}

async function askVariable(suggested: string, { interview }: Wizard): Promise<string> {
  const offered = suggested
    .replace(/[^A-Za-z0-9]/g, '_')
    .toUpperCase()
    .replace(/^\d/, '_$&');
  return interview.text({
    flag: 'secret-variable',
    message: 'Name of the variable:',
    offered,
    required: true,
    check: checkVariable,
  });
}
