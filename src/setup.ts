/**
 * How a person sets up an adapter: its questions as data. The wizard asks them, on a terminal or by flags, and knows no
 * adapter; each answer becomes the option of the same name in the config.
 */

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The working folder, absolute. */
  readonly folder: string;
}

/**
 * `path`: relative to the working folder as it is typed. `url`: its password goes to the option `password`. `words`: a
 * program and its arguments. `patterns`: a list, separated by commas. `database`: chosen from what the server has.
 */
export type QuestionKind = 'text' | 'number' | 'path' | 'url' | 'secret' | 'words' | 'patterns' | 'database';

export interface Question {
  readonly option: string;
  readonly kind: QuestionKind;
  /** As it stands before the cursor; says what an empty answer means where one is allowed. */
  readonly message: string;
  readonly required?: boolean;
  /** Offered as the answer. */
  readonly offered?: string;
  /** Asked only where this option has (`with`) or none of these has (`without`) an answer. */
  readonly with?: string;
  readonly without?: readonly string[];
  /** Asked only after a try that failed with such words: most logins need no password in the config. */
  readonly onRefusal?: RegExp;
}

/** Something that was found: a file in the folder, a variable, the socket of a running server. */
export interface Suggestion {
  readonly label: string;
  readonly options: Readonly<Record<string, string | number>>;
  /** Options that have to be asked for all the same. */
  readonly open?: readonly string[];
}

export interface Setup {
  /** In the list of kinds. */
  readonly title: string;
  readonly questions: readonly Question[];
  /** For the file: what else can be set, one line each, without `#`. */
  readonly more: readonly string[];
}

export interface SourceSetup extends Setup {
  /** What a job is called unless told, where the database's own name says nothing. */
  readonly name?: string;
  /** Looks around; finds nothing rather than to fail. */
  suggest?(surroundings: Surroundings): Promise<readonly Suggestion[]>;
  /** Flags of a first restore that touches nothing that exists; `source` is the name of the definition. */
  firstRestore(source: string): string;
  /** Where the first one only writes a file: those of a restore that replaces what the source holds, and asks first. */
  realRestore?(source: string): string;
}

/** A place to store at, in one word: `./backups`, `s3://bucket/prefix`. */
export interface DestinationSetup extends Setup {
  /** What the definition is called unless told. */
  readonly name: string;
  /** Options for a place, or undefined when it is not of this kind. */
  fromPlace(place: string): Readonly<Record<string, string | number>> | undefined;
}
