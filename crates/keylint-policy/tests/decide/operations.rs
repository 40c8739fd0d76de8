//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html> and, for
//! "cross-account use", the page of each operation in the API reference.

/// Operations whose resource is no key.
pub(super) fn is_of_the_account(operation: &str) -> bool {
    [
        "ConnectCustomKeyStore",
        "CreateCustomKeyStore",
        "CreateKey",
        "DeleteCustomKeyStore",
        "DescribeCustomKeyStores",
        "DisconnectCustomKeyStore",
        "GenerateRandom",
        "ListAliases",
        "ListKeys",
        "ListRetirableGrants",
        "UpdateCustomKeyStore",
    ]
    .contains(&operation)
}

/// Cryptographic operations, grants, and a few that look at the key.
pub(super) fn works_across_accounts(operation: &str) -> bool {
    [
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    ]
    .contains(&operation)
}
