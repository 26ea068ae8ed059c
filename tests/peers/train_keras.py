"""Trains Kiln's network in Keras on TensorFlow and prints the images a second.

    python train_keras.py BATCH_SIZE
"""

import os
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

# Images in memory: as many as two seconds need on a fast machine.
IMAGES = 16_384
WINDOWS = 3
WINDOW_SECONDS = 2.0


def network():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    return model


def main(batch):
    random = np.random.default_rng(42)
    images = random.random((IMAGES, 28, 28, 1), dtype=np.float32)
    labels = random.integers(0, 10, IMAGES)
    model = network()

    def train(count):
        """Images a second; `fit` returns once the epoch's loss is known."""
        start = time.perf_counter()
        model.fit(images[:count], labels[:count], batch_size=batch, verbose=0)
        return count / (time.perf_counter() - start)

    train(8 * batch)
    rate = train(16 * batch)
    batches = int(min(WINDOW_SECONDS * rate, IMAGES)) // batch
    print(statistics.median(train(max(1, batches) * batch) for _ in range(WINDOWS)))


main(int(sys.argv[1]))
