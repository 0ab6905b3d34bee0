"""What an author may import; `engine`, `shared` and `mixpeek_dev` re-export it under the contract's names."""
