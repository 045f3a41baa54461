/** Completion for zsh, with descriptions; for a folder of $fpath, or to be sourced after compinit. */
import { lookUps } from './posix-look-ups.ts';
import type { CompletionNode } from './tree.ts';

export function zshCompletion(tree: readonly CompletionNode[]): string {
  return `#compdef dbbackup
# Completion of dbbackup for zsh: save it as _dbbackup in a folder of $fpath, or source it after compinit.
_dbbackup_commands() {
  case "$1" in
${lists(tree, (node) => node.commands.map(({ name, description }) => described(name, description)))}
    *) reply=() ;;
  esac
}

_dbbackup_options() {
  case "$1" in
${lists(tree, (node) => node.options.flatMap(({ names, description }) => names.map((name) => described(name, description))))}
    *) reply=() ;;
  esac
}

${lookUps(tree)}

_dbbackup_names() {
  reply=(\${(f)"$(dbbackup __names "$1" \${2:+"--config=$2"} 2>/dev/null)"})
}

# Kind of value, config file.
_dbbackup_complete() {
  local -a reply
  case "$1" in
    '' | text) ;;
    '='*) compadd -- \${=1#=} ;;
    files) _files ;;
    folders) _files -/ ;;
    backups) _dbbackup_names jobs "$2"; compadd -- \${^reply}@latest; _files ;;
    targets) _dbbackup_names sources "$2"; compadd -a reply; _files ;;
    *) _dbbackup_names "$1" "$2"; compadd -a reply ;;
  esac
}

_dbbackup() {
  local route='' expected='' config='' flag='' word
  local -i place=0 i
  local -a reply
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $expected ]]; then
      if [[ $flag == -c || $flag == --config ]]; then config=\${(Q)word}; fi
      expected=''
    elif [[ $word == -* ]]; then
      flag=$word expected=$(_dbbackup_value "$route" "$word")
      if [[ $word == --config=* ]]; then config=\${(Q)word#--config=}; fi
    else
      _dbbackup_commands "$route"
      if (( \${reply[(I)$word:*]} )); then route="\${route:+$route }$word" place=0; else place+=1; fi
    fi
  done
  if [[ -n $expected ]]; then
    _dbbackup_complete "$expected" "$config"
  elif [[ \${words[CURRENT]} == --*=* ]]; then
    expected=$(_dbbackup_value "$route" "\${words[CURRENT]%%=*}")
    compset -P '*='
    _dbbackup_complete "$expected" "$config"
  elif [[ \${words[CURRENT]} == -* ]]; then
    _dbbackup_options "$route"
    _describe option reply
  else
    _dbbackup_complete "$(_dbbackup_place "$route" "$place")" "$config"
    _dbbackup_commands "$route"
    (( \${#reply} )) && _describe command reply
  fi
}

# In $fpath the file is the function's body; sourced, it only names it.
if [[ \${funcstack[1]} == _dbbackup ]]; then _dbbackup "$@"; else compdef _dbbackup dbbackup; fi
`;
}

function lists(tree: readonly CompletionNode[], items: (node: CompletionNode) => readonly string[]): string {
  return tree.map((node) => `    '${node.path}') reply=(${items(node).join(' ')}) ;;`).join('\n');
}

/** As _describe wants it: a colon of the name would end it. */
function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
