/// A service of a storage account that gives user delegation keys of its own. Data Lake (`dfs`) takes those of `Blob`, from the blob endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageService {
    /// Blobs and Data Lake.
    Blob,
    /// File shares.
    File,
    /// Queues.
    Queue,
    /// Tables.
    Table,
}

impl StorageService {
    /// The `x-ms-version` to ask for a key in: no newer than the service needs, because regions get new ones late. The key is good for
    /// tokens of later versions too.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Blob => "2022-11-02",
            // The first with user delegation for these.
            Self::File | Self::Queue | Self::Table => "2025-07-05",
        }
    }

    /// The built-in role that may do this and nothing else
    /// (<https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage>).
    pub(super) fn delegator_role(self) -> &'static str {
        match self {
            Self::Blob => "Storage Blob Delegator",
            Self::File => "Storage File Delegator",
            Self::Queue => "Storage Queue Delegator",
            Self::Table => "Storage Table Delegator",
        }
    }

    /// What the role allows, for custom roles.
    pub(super) fn delegator_action(self) -> &'static str {
        match self {
            Self::Blob => "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
            Self::File => "Microsoft.Storage/storageAccounts/fileServices/generateUserDelegationKey/action",
            Self::Queue => "Microsoft.Storage/storageAccounts/queueServices/generateUserDelegationKey/action",
            Self::Table => "Microsoft.Storage/storageAccounts/tableServices/generateUserDelegationKey/action",
        }
    }
}
