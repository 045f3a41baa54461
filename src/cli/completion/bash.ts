/** Completion for bash 3.2 and newer; needs no package beside it. */
import { lookUps } from './posix-look-ups.ts';
import type { CompletionNode } from './tree.ts';

export function bashCompletion(tree: readonly CompletionNode[]): string {
  return `# Completion of dbbackup for bash: source this file, or put it where bash-completion looks.
_dbbackup_commands() {
  case "$1" in
${cases(tree, (node) => echo(node.commands.map(({ name }) => name)))}
  esac
}

_dbbackup_options() {
  case "$1" in
${cases(tree, (node) => echo(node.options.flatMap(({ names }) => names)))}
  esac
}

${lookUps(tree)}

_dbbackup_names() {
  dbbackup __names "$1" \${2:+"--config=$2"} 2>/dev/null
}

# Kind of value, word to complete, config file.
_dbbackup_complete() {
  local IFS=$'\\n'
  case "$1" in
    '' | text) ;;
    '='*) COMPREPLY=($(IFS=' '; compgen -W "\${1#=}" -- "$2")) ;;
    files) COMPREPLY=($(compgen -f -- "$2")); compopt -o filenames 2>/dev/null ;;
    folders) COMPREPLY=($(compgen -d -- "$2")); compopt -o filenames 2>/dev/null ;;
    backups) COMPREPLY=($(compgen -W "$(_dbbackup_names jobs "$3" | sed 's/$/@latest/')" -- "$2") $(compgen -f -- "$2")) ;;
    targets) COMPREPLY=($(compgen -W "$(_dbbackup_names sources "$3")" -- "$2") $(compgen -f -- "$2")) ;;
    *) COMPREPLY=($(compgen -W "$(_dbbackup_names "$1" "$3")" -- "$2")) ;;
  esac
}

_dbbackup() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' place=0 expected='' config='' flag='' i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' || $word == '@' ]]; then continue; fi
    if [[ \${COMP_WORDS[i - 1]} == '@' ]]; then continue; fi
    if [[ -n $expected ]]; then
      if [[ $flag == -c || $flag == --config ]]; then config=$word; fi
      expected=''
      continue
    fi
    if [[ $word == -* ]]; then
      flag=$word expected=$(_dbbackup_value "$path" "$word")
    elif [[ " $(_dbbackup_commands "$path") " == *" $word "* ]]; then
      path="\${path:+$path }$word" place=0
    else
      place=$((place + 1))
    fi
  done
  # bash takes = and @ for words of their own.
  if [[ $cur == '=' || $cur == '@' ]]; then cur=''; fi
  if [[ \${COMP_WORDS[COMP_CWORD]} == '@' || \${COMP_WORDS[COMP_CWORD - 1]} == '@' ]]; then
    COMPREPLY=($(compgen -W latest -- "$cur"))
  elif [[ -n $expected ]]; then
    _dbbackup_complete "$expected" "$cur" "$config"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_dbbackup_options "$path")" -- "$cur"))
  else
    _dbbackup_complete "$(_dbbackup_place "$path" "$place")" "$cur" "$config"
    COMPREPLY+=($(compgen -W "$(_dbbackup_commands "$path")" -- "$cur"))
  fi
}

complete -F _dbbackup dbbackup
`;
}

function cases(tree: readonly CompletionNode[], line: (node: CompletionNode) => string): string {
  return tree.map((node) => `    '${node.path}') ${line(node)} ;;`).join('\n');
}

function echo(words: readonly string[]): string {
  return `echo '${words.join(' ')}'`;
}
