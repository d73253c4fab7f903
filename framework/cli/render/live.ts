import type { DefaultRenderer, ListrTask, ListrTaskWrapper, SimpleRenderer } from 'listr2';
import { describeStop } from '../../plan/contest.ts';
import {
  type RunEvent,
  type RunStopping,
  type StageFailed,
  type StageRetrying,
  unreachable,
  type Warning,
} from '../../run/events.ts';
import { formatProgress } from '../format.ts';
import type { Renderer, RenderOptions } from './renderer.ts';
import {
  formatFailure,
  formatFinished,
  formatInterrupt,
  formatRetrying,
  formatRunStarted,
  formatSkipped,
  formatStopping,
  formatWarning,
} from './text.ts';

type Wrapper = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** One line of the display. Its Listr task runs until the stage has ended; what it does meanwhile we are told by events. */
interface Line {
  readonly stage: string;
  wrapper?: Wrapper;
  phase: 'waiting' | 'active' | 'ended';
  title: string;
  visible: boolean;
  end(how: 'completed' | 'failed' | 'skipped'): void;
}

/** What is told in full below the display. */
type Remark = StageFailed | StageRetrying | RunStopping | Warning;

export interface LiveOptions extends RenderOptions {
  /** The stages that may run: they have a line each. */
  readonly stages: readonly string[];
  /** Lines that fit the terminal now. */
  room(): number;
}

/**
 * Shows a run on a terminal: one line a stage, redrawn in place. Where not all fit, those are shown that run, and those
 * that ended last. Failures and warnings in full come when the display is closed, where they can be read and scrolled
 * back to.
 */
export async function createLiveRenderer(options: LiveOptions): Promise<Renderer> {
  const { stages } = options;
  const { Listr, ListrTaskState } = await import('listr2');
  const width = Math.max(...stages.map((stage) => stage.length));
  const lines = new Map<string, Line>();
  /** The latest last. */
  const ended: Line[] = [];
  const remarks: Remark[] = [];
  let running: Promise<unknown> | undefined;

  const tasks = stages.map((stage): ListrTask<unknown, typeof DefaultRenderer> => {
    let settle: { resolve(): void; reject(reason: Error): void };
    const ending = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const line: Line = {
      stage,
      phase: 'waiting',
      title: stage,
      visible: true,
      end(how) {
        if (line.phase === 'ended') return;
        line.phase = 'ended';
        ended.push(line);
        // Listr marks what has started as completed; it must also be told so of what was found in the store.
        if (line.wrapper) {
          line.wrapper.task.state$ = how === 'skipped' ? ListrTaskState.SKIPPED : ListrTaskState.STARTED;
        }
        if (how === 'failed') settle.reject(new Error(`${stage} failed`));
        else settle.resolve();
      },
    };
    lines.set(stage, line);
    return {
      title: stage,
      task: (_context, wrapper) => {
        line.wrapper = wrapper;
        wrapper.title = line.visible ? line.title : '';
        // Listr would show every task as started, since it runs them all at once: our scheduler decides.
        if (line.phase === 'waiting') wrapper.task.state$ = ListrTaskState.WAITING;
        return ending;
      },
    };
  });
  const listr = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    // Ctrl-C is ours: a run that stops is still to be shown.
    registerSignalListeners: false,
    rendererOptions: {
      formatOutput: 'truncate',
      collapseSkips: false,
      collapseErrors: false,
      showErrorMessage: false,
    },
  });

  function setText(stage: string, text: string): void {
    const line = lines.get(stage);
    if (!line) return;
    line.title = text === '' ? stage : `${stage.padEnd(width)}  ${text}`;
    if (line.visible && line.wrapper) line.wrapper.title = line.title;
  }

  function setActiveTexts(text: string): void {
    for (const line of lines.values()) if (line.phase === 'active') setText(line.stage, text);
  }

  /** More lines than the terminal has would make it scroll at every redraw. */
  function arrange(room: number): void {
    const all = [...lines.values()];
    const active = all.filter((line) => line.phase === 'active');
    const waiting = all.filter((line) => line.phase === 'waiting');
    const chosen = new Set([...active, ...ended.toReversed(), ...waiting].slice(0, room));
    for (const line of all) {
      if (line.visible === chosen.has(line)) continue;
      line.visible = !line.visible;
      // Listr leaves out lines without text.
      if (line.wrapper) line.wrapper.title = line.visible ? line.title : '';
    }
  }

  function show(event: RunEvent): void {
    apply(event);
    if (event.type !== 'stage-progress') arrange(options.room());
  }

  function apply(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        options.write(formatRunStarted(event).join('\n').concat('\n'));
        running = listr.run();
        return;
      case 'stage-waiting':
        setText(event.stage, 'another run is making it, waiting for that');
        return;
      case 'stage-started': {
        const line = lines.get(event.stage);
        if (line) line.phase = 'active';
        if (line?.wrapper) line.wrapper.task.state$ = ListrTaskState.STARTED;
        setText(event.stage, '');
        return;
      }
      case 'stage-progress':
        setText(event.stage, formatProgress(event));
        return;
      case 'stage-finished':
        setText(event.stage, formatFinished(event));
        lines.get(event.stage)?.end('completed');
        return;
      case 'stage-failed':
        remarks.push(event);
        setText(event.stage, `FAILED: ${event.failure.message.split('\n')[0]}`);
        lines.get(event.stage)?.end('failed');
        return;
      case 'stage-retrying':
        remarks.push(event);
        setText(event.stage, `starting it again (retry ${event.retry} of ${event.of})`);
        return;
      case 'stage-skipped':
        setText(event.stage, formatSkipped(event));
        lines.get(event.stage)?.end('skipped');
        return;
      case 'stage-stopped':
        setText(event.stage, describeStop(event));
        lines.get(event.stage)?.end('skipped');
        return;
      case 'stage-interrupted':
        setText(event.stage, 'stopped');
        lines.get(event.stage)?.end('skipped');
        return;
      case 'run-stopping':
        remarks.push(event);
        setActiveTexts(`stopping, because ${event.because} failed`);
        return;
      case 'run-interrupted':
        setActiveTexts(formatInterrupt(event));
        return;
      case 'warning':
        remarks.push(event);
        return;
      case 'log':
      case 'run-finished':
        return;
      default:
        unreachable(event);
    }
  }

  async function close(): Promise<void> {
    // What is still open was never started.
    for (const line of lines.values()) {
      if (line.phase === 'waiting') setText(line.stage, 'not started');
      line.end('skipped');
    }
    await running;
    const text = remarks.flatMap((event) => formatRemark(event, options.verbose));
    if (text.length > 0) options.write(`\n${text.join('\n')}\n`);
  }

  return { show, close };
}

function formatRemark(event: Remark, verbose: boolean): string[] {
  switch (event.type) {
    case 'warning':
      return formatWarning(event);
    case 'stage-failed':
      return formatFailure(event, verbose);
    case 'stage-retrying':
      return formatRetrying(event, verbose);
    case 'run-stopping':
      return [formatStopping(event)];
    default:
      return unreachable(event);
  }
}
