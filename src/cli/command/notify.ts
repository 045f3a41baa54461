import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';

export function notifyCommand(context: CommandContext): Command {
  return newCommand('notify').description('try the notifications of the config').addCommand(testCommand(context));
}

function testCommand(context: CommandContext): Command {
  return newCommand('test')
    .description('send a test message, once, and show what was answered')
    .argument('<name>', 'a notification of the config')
    .addHelpText('after', '\nExamples:\n  $ dbbackup notify test ops')
    .action(
      runAction(context, async ({ args: [name = ''], options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { sendTest } = await import('../../operation/notify/send-test.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: false });
        const { type, answer } = await sendTest(name, runtime);
        output.result({ notification: name, type, sent: true, answer }, () => {
          return `${output.color.green('✓')} ${name} (${type}): ${answer}`;
        });
      }),
    );
}
