"""From YAML text to a checked RunConfig: reading, schema, rules, problems."""
