import test from 'ava';
import { CommanderError } from 'commander';
import { createProgram } from '../../../framework/cli/program.ts';

test('the help of each command lists its own flags only', (t) => {
  const program = createProgram(() => {});
  for (const command of program.commands) t.snapshot(command.helpInformation(), command.name());
});

/** What the command line writes about a command that it refuses. */
async function refusal(...args: readonly string[]): Promise<string> {
  const written: string[] = [];
  const program = createProgram(() => {
    throw new Error(`${args.join(' ')} was carried out`);
  });
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeErr: (text) => written.push(text) });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
  }
  return written.join('');
}

test('a flag that a command does not have is refused with the commands that have it', async (t) => {
  const { commands } = createProgram(() => {});
  const flagsOf = (name: string) =>
    commands.find((one) => one.name() === name)!.options.map(({ long }) => long!);
  const all = new Set(commands.flatMap((one) => flagsOf(one.name())));
  for (const command of commands.map((one) => one.name())) {
    for (const flag of all) {
      if (flagsOf(command).includes(flag)) continue;
      const owners = commands.map((one) => one.name()).filter((name) => flagsOf(name).includes(flag));
      const [first] = (await refusal(command, 'a', 'b', flag, '1')).split('\n');
      t.true(first!.startsWith(`error: ${command} has no ${flag}, which is for `), first);
      t.deepEqual(first!.split(' is for ')[1]!.split(/, | and /), owners);
    }
  }
});

test('flags before the command and flags that no command has are refused', async (t) => {
  t.regex(
    await refusal('--jobs', '2', 'run', 'a.ts'),
    /^error: --jobs goes after the command \(run, plan and doctor\)\n/,
  );
  t.regex(
    await refusal('run', 'a.ts', '--job', '2'),
    /^error: unknown option '--job'\n\(Did you mean --jobs\?\)/,
  );
});

test('a list of rows ends a name at a comma, unless the comma is between swept fields', (t) => {
  const report = createProgram(() => {}).commands.find((one) => one.name() === 'report')!;
  const rows = report.options.find(({ long }) => long === '--rows')!;
  t.deepEqual(rows.parseArg?.('beit,peco@size=512,dim=16,peco@size=*,scratch', undefined), [
    'beit',
    'peco@size=512,dim=16',
    'peco@size=*',
    'scratch',
  ]);
  t.throws(() => rows.parseArg?.('beit,,peco', undefined), { message: /different names of rows/ });
});
