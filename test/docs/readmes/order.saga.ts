/** What `nest.ts` and `batch-guide.ts` import, as an application would have it. */
export { OrderSaga, orderSaga } from '../activities-guide.js';
