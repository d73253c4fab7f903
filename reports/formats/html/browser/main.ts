/** What report.html does in a browser: draws the curves, and sorts tables. */
import 'uplot/dist/uPlot.min.css';
import './page.css';
import type { Chart } from '../chart.ts';
import { showCharts } from './charts.ts';
import { makeSortable } from './sort.ts';

const element = document.getElementById('charts');
showCharts(JSON.parse(element?.textContent ?? '[]') as Chart[]);
for (const table of document.querySelectorAll<HTMLTableElement>('table.sortable')) makeSortable(table);
