//! Data of a person's own.

use idb::Query;
use kiln_run::protocol::DataFile;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::kept::{OwnData, StoreError};
use super::opened::{DATA, DATA_FILES, Opened, from_value, to_value};

/// The files of a person's own data.
#[derive(Serialize, Deserialize)]
struct DataFiles {
    /// The key.
    hash: String,
    files: Vec<DataFile>,
}

impl Opened {
    pub(super) async fn keep_data(
        &self,
        data: &OwnData,
        files: &[DataFile],
    ) -> Result<(), StoreError> {
        let record = to_value(data)?;
        let files = to_value(&DataFiles {
            hash: data.summary.hash.clone(),
            files: files.to_vec(),
        })?;
        self.change(|stores| {
            stores.data.put(&record, None)?;
            stores.data_files.put(&files, None)?;
            Ok(())
        })
        .await
    }

    pub(super) async fn describe_data(&self, data: &OwnData) -> Result<(), StoreError> {
        let record = to_value(data)?;
        self.change(|stores| {
            stores.data.put(&record, None)?;
            Ok(())
        })
        .await
    }

    pub(super) async fn all_data(&self) -> Result<Vec<OwnData>, StoreError> {
        let all = self.get_all(DATA, None, None).await?;
        all.into_iter().map(from_value).collect()
    }

    pub(super) async fn data_files(&self, hash: &str) -> Result<Option<Vec<DataFile>>, StoreError> {
        let key = Query::from(JsValue::from_str(hash));
        let Some(files) = self.get(DATA_FILES, key).await? else {
            return Ok(None);
        };
        Ok(Some(from_value::<DataFiles>(files)?.files))
    }

    pub(super) async fn remove_data(&self, hash: &str) -> Result<(), StoreError> {
        let key = || Query::from(JsValue::from_str(hash));
        self.change(|stores| {
            stores.data.delete(key())?;
            stores.data_files.delete(key())?;
            Ok(())
        })
        .await
    }
}
