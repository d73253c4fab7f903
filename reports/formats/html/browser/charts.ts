import uPlot from 'uplot';
import { axisValue, type Chart, type Curve, curveValue, endIn, lastOf, placeIn } from '../chart.ts';

/** Pixels. */
const height = 230;

/** Draws each chart when it comes near the screen, all before printing, and again when colours or widths change. */
export function showCharts(charts: readonly Chart[]): void {
  const views = [...document.querySelectorAll<HTMLElement>('figure.chart')].map(
    (figure) => new ChartView(figure, charts[Number(figure.dataset.chart)]!),
  );
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries)
        if (isIntersecting) views.find(({ figure }) => figure === target)?.draw();
    },
    { rootMargin: '400px' },
  );
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) views.find(({ plot }) => plot === target)?.fit();
  });
  for (const { figure, plot } of views) {
    near.observe(figure);
    widths.observe(plot);
  }
  const redraw = () => {
    for (const view of views) view.redraw();
  };
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  window.addEventListener('beforeprint', () => {
    document.documentElement.classList.add('print');
    redraw();
    for (const view of views) view.draw();
  });
  window.addEventListener('afterprint', () => {
    document.documentElement.classList.remove('print');
    redraw();
  });
}

/** A tick that the logarithmic axis has no room for comes as null. */
function tick(value: number | null): string {
  return value === null ? '' : axisValue(value);
}

/** As uPlot's own, but for a line that is 0 throughout: it would stand below 100. */
function range(_: uPlot, least: number | null, most: number | null): [number, number] {
  if (least === 0 && most === 0) return [0, 1];
  return uPlot.rangeNum(least ?? 0, most ?? 1, 0.1, true) as [number, number];
}

/** A chart, the list of its lines, and what the keyboard does. */
class ChartView {
  readonly figure: HTMLElement;
  readonly plot: HTMLElement;
  readonly #chart: Chart;
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #at: HTMLElement;
  #drawn: uPlot | undefined;
  #index: number;

  constructor(figure: HTMLElement, chart: Chart) {
    this.figure = figure;
    this.#chart = chart;
    this.#index = chart.x.length - 1;
    this.plot = figure.querySelector<HTMLElement>('.plot')!;
    this.#at = figure.querySelector<HTMLElement>('.at')!;
    this.#buttons = [...figure.querySelectorAll<HTMLButtonElement>('.legend button')];
    for (const [index, button] of this.#buttons.entries()) {
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(!this.#isShown(index)));
        this.redraw();
      });
    }
    this.plot.addEventListener('keydown', (event) => this.#move(event));
    this.plot.addEventListener('mouseleave', () => this.#tellEnd());
  }

  draw(): void {
    if (this.#drawn || this.plot.clientWidth === 0) return;
    this.#drawn = new uPlot(this.#options(), this.#data(), this.plot);
  }

  redraw(): void {
    if (!this.#drawn) return;
    this.#drawn.destroy();
    this.#drawn = undefined;
    this.draw();
  }

  fit(): void {
    if (this.#drawn && this.#drawn.width !== this.plot.clientWidth)
      this.#drawn.setSize({ width: this.plot.clientWidth, height });
  }

  #isShown(index: number): boolean {
    return this.#buttons[index]?.getAttribute('aria-pressed') === 'true';
  }

  #move(event: KeyboardEvent): void {
    const last = this.#chart.x.length - 1;
    const targets: { readonly [key: string]: number } = {
      ArrowLeft: this.#index - 1,
      ArrowRight: this.#index + 1,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined || !this.#drawn) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, target));
    const left = this.#drawn.valToPos(this.#chart.x[index]!, 'x');
    this.#drawn.setCursor({ left, top: this.#drawn.over.clientHeight / 2 });
    this.#tell(index);
  }

  /** Writes the step and the values of the lines at an index. */
  #tell(index: number): void {
    this.#index = index;
    this.#write(placeIn(this.#chart, index), ({ mean }) => mean[index]);
  }

  /** Writes the last value of each line, as the page has it before anything is drawn. */
  #tellEnd(): void {
    this.#index = this.#chart.x.length - 1;
    this.#write(endIn(this.#chart), lastOf);
  }

  #write(where: string, read: (curve: Curve) => number | null | undefined): void {
    this.#at.textContent = where;
    for (const [at, button] of this.#buttons.entries()) {
      const curve = this.#chart.series[at];
      const value = curve && read(curve);
      const place = button.querySelector('.value');
      if (place) place.textContent = typeof value === 'number' ? curveValue(value) : '';
    }
  }

  /** Steps, then of each line the mean, the largest and the least. */
  #data(): uPlot.AlignedData {
    const { x, series } = this.#chart;
    const rows = series.flatMap(({ mean, low = mean, high = mean }) => [mean, high, low]);
    return [x, ...rows] as unknown as uPlot.AlignedData;
  }

  #options(): uPlot.Options {
    const styles = getComputedStyle(document.documentElement);
    const colour = (name: string) => styles.getPropertyValue(`--${name}`).trim();
    const { series, logarithmic } = this.#chart;
    const axis = {
      stroke: colour('soft'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { stroke: colour('line') },
    };
    const edge = { width: 0, points: { show: false }, spanGaps: true };
    return {
      width: this.plot.clientWidth,
      height,
      legend: { show: false },
      scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : { range } },
      axes: [
        { ...axis, size: 34 },
        { ...axis, size: 58, values: (_, ticks) => ticks.map(tick) },
      ],
      series: [
        {},
        ...series.flatMap(({ colour: own }, index) => {
          const show = this.#isShown(index);
          const stroke = colour(`c${own % 8}`);
          const dash = own < 8 ? {} : { dash: [6, 4] };
          return [
            { show, stroke, width: 2, spanGaps: true, points: { show: false }, ...dash },
            { ...edge, show },
            { ...edge, show },
          ];
        }),
      ],
      bands: series.map(({ colour: own }, index) => ({
        series: [3 * index + 2, 3 * index + 3] as [number, number],
        fill: `${colour(`c${own % 8}`)}30`,
      })),
      hooks: {
        setCursor: [
          ({ cursor }) => {
            if (typeof cursor.idx === 'number') this.#tell(cursor.idx);
          },
        ],
      },
    };
  }
}
