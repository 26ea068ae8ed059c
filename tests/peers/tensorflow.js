// One training step of Kiln's network in TensorFlow.js: a model of its layers, under its optimiser.
import { ADAM, PIXELS, CLASSES, images, labels } from "./data.js";

const PACKAGES = "node_modules/@tensorflow";

/** The library's files are scripts that leave their exports in `window.tf`. */
function load(file) {
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = `${PACKAGES}/${file}`;
    script.onload = loaded;
    script.onerror = () => failed(new Error(`${script.src} cannot be loaded`));
    document.head.append(script);
  });
}

async function library(backend) {
  await load("tfjs/dist/tf.min.js");
  const { tf } = window;
  if (backend === "webgpu") await load("tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js");
  if (backend === "wasm") {
    await load("tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
    tf.wasm.setWasmPaths(`${PACKAGES}/tfjs-backend-wasm/dist/`);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js finds no ${backend} here`);
  await tf.ready();
  return tf;
}

function layers(tf) {
  const convolution = (filters, options) =>
    tf.layers.conv2d({ filters, kernelSize: 3, activation: "relu", ...options });
  return tf.sequential({
    layers: [
      convolution(32, { inputShape: [PIXELS, PIXELS, 1] }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      convolution(64),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.dense({ units: CLASSES }),
    ],
  });
}

/** A network on a backend; `step` begins a step, `loss` waits for the last one and says its loss. */
export async function network(backend, batch) {
  const tf = await library(backend);
  const model = layers(tf);
  const optimizer = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  const input = tf.tensor4d(images(batch), [batch, PIXELS, PIXELS, 1]);
  const wanted = tf.oneHot(tf.tensor1d(labels(batch), "int32"), CLASSES);
  let last;
  return {
    // `fit` and `trainOnBatch` would gather a batch and wait for the loss of each.
    step() {
      last?.dispose();
      last = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(wanted, model.apply(input, { training: true })),
        true,
      );
    },
    async loss() {
      const [weight] = model.getWeights();
      await weight.data();
      return (await last.data())[0];
    },
  };
}
