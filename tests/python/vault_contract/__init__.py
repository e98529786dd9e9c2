"""What Microsoft's own Key Vault and identity clients expect of the test vault, and get."""
