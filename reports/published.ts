/** A result of a paper; for orientation below the table, never a row of it. */
export interface PublishedResult {
  readonly method: string;
  readonly setting: string;
  readonly top1: number;
  readonly source: string;
}

/** ImageNet-1K, ViT-B/16 at 224 pixels, fine-tuned after 800 epochs of pretraining. */
export const publishedResults: readonly PublishedResult[] = [
  {
    method: 'BEiT',
    setting: 'ViT-B, 800 epochs, ImageNet-1K',
    top1: 83.2,
    source: 'Bao et al., arXiv 2106.08254',
  },
  {
    method: 'PeCo',
    setting: 'ViT-B, 800 epochs, ImageNet-1K',
    top1: 84.5,
    source: 'Dong et al., arXiv 2111.12710',
  },
];
