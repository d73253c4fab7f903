import { override } from 'peco-exp';
import quickstart from '../../experiments/quickstart.ts';

export default override(quickstart, { name: 'longer', 'pretraining.base.steps': 600 });
