// One training step of Kiln's network in jax-js: all of it, Adam too, is one compiled function.
// The dropout mask is drawn on the device by jax-js's own generator.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  random,
  valueAndGrad,
} from "./node_modules/@jax-js/jax/dist/index.js";
import { ADAM, PIXELS, CLASSES, images, labels } from "./data.js";

const FEATURES = 1600;

/** Two convolutions and a dense layer, each a weight and a bias: shape, and inputs of one output. */
const PARAMETERS = [
  { shape: [32, 1, 3, 3], inputs: 9 },
  { shape: [32, 1, 1] },
  { shape: [64, 32, 3, 3], inputs: 288 },
  { shape: [64, 1, 1] },
  { shape: [FEATURES, CLASSES], inputs: FEATURES },
  { shape: [CLASSES] },
];

function initial() {
  return PARAMETERS.map(({ shape, inputs }, index) => {
    if (!inputs) return np.zeros(shape);
    const maxval = 1 / Math.sqrt(inputs);
    return random.uniform(random.key(index), shape, { minval: -maxval, maxval });
  });
}

function block(input, weight, bias) {
  const convolved = lax.convGeneralDilated(input, weight, [1, 1], "VALID");
  return lax.reduceWindow(nn.relu(convolved.add(bias)), np.max, [2, 2], [2, 2]);
}

function loss([weight1, bias1, weight2, bias2, weight3, bias3], input, wanted, key) {
  const first = block(input, weight1, bias1);
  const features = block(first, weight2, bias2).reshape([-1, FEATURES]);
  const kept = random.bernoulli(key, 0.5, features.shape).astype(np.float32).mul(2);
  const logits = np.dot(features.mul(kept), weight3).add(bias3);
  return nn.logSoftmax(logits).mul(wanted).sum(1).mean().neg();
}

/** Every use of an array but its last goes through `.ref`: jax-js counts owners. */
function adam(parameter, mean, square, gradient, rate) {
  const newMean = mean.mul(ADAM.beta1).add(gradient.ref.mul(1 - ADAM.beta1));
  const newSquare = square.mul(ADAM.beta2).add(np.square(gradient).mul(1 - ADAM.beta2));
  const change = newMean.ref.mul(rate).div(np.sqrt(newSquare.ref).add(ADAM.epsilon));
  return [parameter.sub(change), newMean, newSquare];
}

const step = jit(function step(parameters, means, squares, input, wanted, key, rate) {
  const [value, gradients] = valueAndGrad(loss)(
    parameters.map((parameter) => parameter.ref),
    input,
    wanted,
    key,
  );
  const updated = parameters.map((parameter, index) =>
    adam(parameter, means[index], squares[index], gradients[index], rate.ref),
  );
  rate.dispose();
  return [value, ...[0, 1, 2].map((part) => updated.map((parts) => parts[part]))];
});

/** A network on a device; `step` begins a step, `loss` waits for the last one and says its loss. */
export async function network(device, batch) {
  const available = await init(device);
  if (!available.includes(device)) throw new Error(`jax-js finds no ${device} here`);
  defaultDevice(device);
  const input = np.array(images(batch)).reshape([batch, 1, PIXELS, PIXELS]);
  const wanted = nn.oneHot(np.array(labels(batch)), CLASSES);
  let parameters = initial();
  let means = PARAMETERS.map(({ shape }) => np.zeros(shape));
  let squares = PARAMETERS.map(({ shape }) => np.zeros(shape));
  let last;
  let steps = 0;
  return {
    step() {
      steps += 1;
      last?.dispose();
      [last, parameters, means, squares] = step(
        parameters,
        means,
        squares,
        input.ref,
        wanted.ref,
        random.key(steps),
        ADAM.rate(steps),
      );
    },
    async loss() {
      await blockUntilReady(parameters);
      return last.ref.jsAsync();
    },
  };
}
