// Takes the pictures of the READMEs, from simulated data: `npm run screenshots`.
import config from './playwright.config';

export default { ...config, testDir: 'screenshots' };
