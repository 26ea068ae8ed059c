//! Answers what the page asks about data and networks beside training.

use std::collections::VecDeque;

use burn::tensor::Device;
use futures::channel::mpsc::{TryRecvError, UnboundedReceiver};
use kiln_model::batch::evaluation_pixels;
use kiln_model::checkpoint::Values;
use kiln_model::config::Config;
use kiln_model::dataset::{Dataset, Images, Part};
use kiln_model::evaluation::{Predictions, PredictionsError, Tally};
use kiln_model::event::Score;
use kiln_model::histogram::Histogram;
use kiln_model::random;
use kiln_model::spec::{CLASSES, PARAMETER_COUNT, PIXELS};
use kiln_model::train::fused::Network;
use kiln_model::train::network;
use kiln_model::train::session::TrainError;
use kiln_model::train::transfer::{download, upload};
use kiln_run::evaluation::ranked::Ranked;
use kiln_run::protocol::{Answer, FromWorker, Maps, Pictures, Question, ToWorker};

use crate::host::Host;

/// Images of one step of an evaluation.
const AT_ONCE: usize = 200;

#[derive(Debug, thiserror::Error)]
enum ExamineError {
    #[error("The data is not loaded. Try again.")]
    NoData,
    #[error("These are {0} weights, not {PARAMETER_COUNT}.")]
    Weights(usize),
    #[error("An image has {PIXELS} pixels, not {0}.")]
    Pixels(usize),
    #[error("{0}.")]
    Train(#[from] TrainError),
    #[error("{0}.")]
    Predictions(#[from] PredictionsError),
}

/// Answers one question. What arrives meanwhile is set aside, but for the news that nobody waits
/// for the answer any more.
pub async fn answer(
    host: &impl Host,
    (request, question): (u32, Question),
    device: Option<&Device>,
    dataset: Option<&Dataset>,
    inbox: &mut UnboundedReceiver<ToWorker>,
    waiting: &mut VecDeque<ToWorker>,
) {
    let mut desk = Desk {
        host,
        request,
        device,
        dataset,
        inbox,
        waiting,
    };
    let found = desk.find(question).await;
    if let Some(found) = found.transpose() {
        tell(host, request, found);
    }
}

fn tell(host: &impl Host, request: u32, found: Result<Answer, ExamineError>) {
    let answer = found.unwrap_or_else(|error| Answer::Failed(error.to_string()));
    host.post(&FromWorker::Answered { request, answer });
}

fn rank(predictions: &[u8]) -> Result<Answer, ExamineError> {
    let predictions = Predictions::from_bytes(predictions)?;
    Ok(Answer::Ranked(Box::new(Ranked::new(&predictions))))
}

struct Desk<'a, H> {
    host: &'a H,
    request: u32,
    device: Option<&'a Device>,
    dataset: Option<&'a Dataset>,
    inbox: &'a mut UnboundedReceiver<ToWorker>,
    waiting: &'a mut VecDeque<ToWorker>,
}

impl<H: Host> Desk<'_, H> {
    /// The answer; nothing where nobody waits for it any more.
    async fn find(&mut self, question: Question) -> Result<Option<Answer>, ExamineError> {
        Ok(Some(match question {
            Question::Labels { config } => {
                let split = self.dataset()?.split_for(&config);
                Answer::Labels(Part::ALL.map(|part| {
                    let histogram = Histogram::new(split.part(part).labels());
                    histogram.counts.map(|count| count as u32)
                }))
            }
            Question::Pictures {
                config,
                part,
                indices,
            } => Answer::Pictures(pictures(&self.images(&config, part)?, indices)),
            Question::Sample {
                config,
                part,
                class,
                count,
                seed,
            } => {
                let images = self.images(&config, part)?;
                let labels = (0..).zip(images.labels());
                let of_class =
                    labels.filter(|(_, label)| class.is_none_or(|class| class == **label));
                let candidates = of_class.map(|(index, _)| index).collect();
                let indices = random::sample(candidates, count as usize, seed);
                Answer::Pictures(pictures(&images, indices))
            }
            Question::Classify { weights, pixels } => {
                let pixels = unit(&pixels)?;
                let mut all = Vec::with_capacity(weights.len());
                for weights in weights {
                    let logits = Network::new(&checked(weights)?).logits(&pixels);
                    let mut predictions = Predictions::default();
                    predictions.add(&logits, &[0])?;
                    let first = predictions.get(0);
                    all.push(first.map_or([f32::NAN; CLASSES], |first| first.probabilities));
                }
                Answer::Probabilities(all)
            }
            Question::Maps { weights, pixels } => {
                let device = self.device.ok_or(ExamineError::NoData)?;
                let weights = upload(checked(weights)?, device);
                let mut layers = Vec::new();
                for maps in network::maps(&weights, unit(&pixels)?) {
                    let [_, _, side, _] = maps.dims();
                    layers.push(Maps {
                        side: side as u32,
                        values: Values(download(maps).await?),
                    });
                }
                Answer::Maps(layers)
            }
            Question::Evaluate {
                weights,
                config,
                part,
            } => return self.evaluate(checked(weights)?, &config, part).await,
            Question::Rank { predictions } => {
                // The news that nobody waits, if there is any, comes behind the question.
                self.host.rest().await;
                if self.is_forgotten() {
                    return Ok(None);
                }
                rank(&predictions)?
            }
        }))
    }

    fn dataset(&self) -> Result<&Dataset, ExamineError> {
        self.dataset.ok_or(ExamineError::NoData)
    }

    fn images(&self, config: &Config, part: Part) -> Result<Images, ExamineError> {
        let split = self.dataset()?.split_for(config);
        Ok(split.part(part).clone())
    }

    async fn evaluate(
        &mut self,
        weights: Vec<f32>,
        config: &Config,
        part: Part,
    ) -> Result<Option<Answer>, ExamineError> {
        let images = self.images(config, part)?;
        let mut network = Network::new(&weights);
        let mut predictions = Predictions::default();
        let mut tally = Tally::default();
        while predictions.len() < images.len() {
            let first = predictions.len();
            let rows = AT_ONCE.min(images.len() - first);
            let pixels = evaluation_pixels(&images, first..first + rows);
            let logits = network.logits(&pixels);
            let labels = &images.labels()[first..first + rows];
            predictions.add(&logits, labels)?;
            tally.add(&logits, labels);
            self.host.post(&FromWorker::Answering {
                request: self.request,
                images: predictions.len() as u32,
                total: images.len() as u32,
            });
            self.host.rest().await;
            if self.is_forgotten() {
                return Ok(None);
            }
        }
        Ok(Some(Answer::Evaluated {
            predictions: predictions.to_bytes(),
            score: Score::of(&tally),
        }))
    }

    /// Reads what has arrived: whether nobody waits for the answer any more. Rankings take no time
    /// and are answered at once; everything else is set aside.
    fn is_forgotten(&mut self) -> bool {
        let mut is_forgotten = false;
        let mut rankings = VecDeque::new();
        loop {
            let message = match self.inbox.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => {
                    is_forgotten = true;
                    break;
                }
            };
            match message {
                ToWorker::Forget { request } => {
                    is_forgotten |= request == self.request;
                    rankings.retain(|(other, _)| *other != request);
                }
                ToWorker::Ask {
                    request,
                    question: Question::Rank { predictions },
                } => rankings.push_back((request, predictions)),
                other => self.waiting.push_back(other),
            }
        }
        for (request, predictions) in rankings {
            tell(self.host, request, rank(&predictions));
        }
        is_forgotten
    }
}

fn checked(weights: Values) -> Result<Vec<f32>, ExamineError> {
    if weights.0.len() == PARAMETER_COUNT {
        Ok(weights.0)
    } else {
        Err(ExamineError::Weights(weights.0.len()))
    }
}

/// Pixels of one image, from 0 to 1.
fn unit(pixels: &[u8]) -> Result<Vec<f32>, ExamineError> {
    if pixels.len() == PIXELS {
        Ok(pixels
            .iter()
            .map(|pixel| f32::from(*pixel) / 255.0)
            .collect())
    } else {
        Err(ExamineError::Pixels(pixels.len()))
    }
}

fn pictures(images: &Images, indices: Vec<u32>) -> Pictures {
    let mut found = Pictures::default();
    for index in indices {
        if let Some(label) = images.labels().get(index as usize) {
            found.indices.push(index);
            found.labels.push(*label);
            found.pixels.extend(images.pixels(index as usize));
        }
    }
    found
}
