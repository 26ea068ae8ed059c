//! Data of a person's own.

use idb::Query;
use kiln_run::protocol::{DataFile, DataSummary};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::{DATA, DATA_FILES, Store, StoreError, from_value, to_value};

/// Data of a person's own, but for its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnData {
    /// What there is; its hash is the key.
    pub summary: DataSummary,
    /// Names it for a person.
    pub name: String,
    /// The names of its files.
    pub files: Vec<String>,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it was imported: ISO 8601, UTC.
    pub imported_at: String,
}

/// The files of a person's own data.
#[derive(Serialize, Deserialize)]
struct DataFiles {
    /// The key.
    hash: String,
    files: Vec<DataFile>,
}

impl Store {
    /// Keeps data of a person's own in place of what was kept under its hash before.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    pub async fn keep_data(&self, data: &OwnData, files: &[DataFile]) -> Result<(), StoreError> {
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

    /// All data of a person's own that is kept, but for its files.
    ///
    /// # Errors
    /// A record that cannot be read, or a browser that refuses.
    pub async fn all_data(&self) -> Result<Vec<OwnData>, StoreError> {
        let all = self.get_all(DATA, None).await?;
        all.into_iter().map(from_value).collect()
    }

    /// The files of the data with this hash; nothing where it is not kept.
    ///
    /// # Errors
    /// Files that cannot be read, or a browser that refuses.
    pub async fn data_files(&self, hash: &str) -> Result<Option<Vec<DataFile>>, StoreError> {
        let key = Query::from(JsValue::from_str(hash));
        let Some(files) = self.get(DATA_FILES, key).await? else {
            return Ok(None);
        };
        Ok(Some(from_value::<DataFiles>(files)?.files))
    }

    /// Takes data out of the store.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn remove_data(&self, hash: &str) -> Result<(), StoreError> {
        let key = || Query::from(JsValue::from_str(hash));
        self.change(|stores| {
            stores.data.delete(key())?;
            stores.data_files.delete(key())?;
            Ok(())
        })
        .await
    }
}
