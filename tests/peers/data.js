// What every library trains on, and with.

export const PIXELS = 28;
export const CLASSES = 10;

export const ADAM = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  learningRate: 1e-3,
  /** The learning rate of a step, the correction of both means worked in. */
  rate(step) {
    const { beta1, beta2, learningRate } = this;
    return (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  },
};

/** Grey values of a batch: a step takes as long whatever they show. */
export function images(batch) {
  return Float32Array.from({ length: batch * PIXELS * PIXELS }, Math.random);
}

export function labels(batch) {
  return Int32Array.from({ length: batch }, (_, index) => index % CLASSES);
}
