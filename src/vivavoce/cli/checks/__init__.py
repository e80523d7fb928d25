"""What ``vivavoce doctor`` looks at: each check is a function that gives findings and mends nothing itself."""
