/** Where a number of a paper was read. */
export type Certainty =
  /** In the paper itself, its abstract or its official code. */
  | 'paper'
  /** In another paper that quotes it: the paper's own tables could not be read. */
  | 'quoted';

export interface PublishedNumber {
  /** A share, as stages report it: 0.845 for 84.5 %. */
  readonly value: number;
  readonly sure: Certainty;
  readonly source: string;
}

/** Tasks in which papers compare pretrainings, by the kind of component that does the same here; with its metric. */
export const publishedMetrics = { 'fine-tune': 'top1', 'linear-probe': 'top1', upernet: 'mIoU' } as const;

export type PublishedTask = keyof typeof publishedMetrics;

export const publishedMethods = ['BEiT', 'PeCo', 'MAE', 'iBOT', 'BEiT v2'] as const;

export type PublishedMethod = (typeof publishedMethods)[number];

/** What a paper reports of ViT-B/16, pretrained without labels on ImageNet-1K at 224 pixels. */
export interface PublishedResult {
  readonly method: PublishedMethod;
  /** Of pretraining. */
  readonly epochs: number;
  /** Top-1 on ImageNet-1K; of UperNet mIoU on ADE20K at 512 pixels. */
  readonly numbers: { readonly [Task in PublishedTask]?: PublishedNumber };
}

const beit = 'Bao et al., arXiv 2106.08254';
const tinyMim = 'Ren et al. (TinyMIM), table 3';
const beit2 = 'microsoft/unilm, beit2/README.md';
const ibot = 'bytedance/ibot, README.md';

/**
 * Numbers whose source could be read. Left out: BEiT's mIoU of 45.6, which its paper reached with another decoder (SETR-PUP)
 * than UperNet, and all that is only remembered, such as PeCo's results on COCO.
 */
export const publishedResults: readonly PublishedResult[] = [
  { method: 'BEiT', epochs: 300, numbers: { 'fine-tune': inPaper(0.8286, beit) } },
  {
    method: 'BEiT',
    epochs: 800,
    numbers: { 'fine-tune': inPaper(0.832, beit), 'linear-probe': inPaper(0.567, beit) },
  },
  {
    method: 'PeCo',
    epochs: 300,
    numbers: {
      'fine-tune': quoted(0.841, `${tinyMim}; Peng et al. (BEiT v2)`),
      upernet: quoted(0.467, tinyMim),
    },
  },
  {
    method: 'PeCo',
    epochs: 800,
    numbers: {
      'fine-tune': inPaper(0.845, 'Dong et al., arXiv 2111.12710, abstract of version 1'),
      upernet: quoted(0.485, tinyMim),
    },
  },
  {
    method: 'MAE',
    epochs: 1600,
    numbers: {
      'fine-tune': inPaper(0.836, 'facebookresearch/mae, FINETUNE.md'),
      'linear-probe': inPaper(0.68, 'facebookresearch/mae, LINPROBE.md'),
      upernet: quoted(0.481, tinyMim),
    },
  },
  {
    method: 'iBOT',
    epochs: 1600,
    numbers: {
      'fine-tune': inPaper(0.84, ibot),
      'linear-probe': inPaper(0.795, ibot),
      upernet: inPaper(0.5, ibot),
    },
  },
  { method: 'BEiT v2', epochs: 300, numbers: { 'fine-tune': inPaper(0.85, beit2) } },
  {
    method: 'BEiT v2',
    epochs: 1600,
    numbers: { 'fine-tune': inPaper(0.855, beit2), upernet: inPaper(0.531, beit2) },
  },
];

function inPaper(value: number, source: string): PublishedNumber {
  return { value, sure: 'paper', source };
}

function quoted(value: number, source: string): PublishedNumber {
  return { value, sure: 'quoted', source };
}
