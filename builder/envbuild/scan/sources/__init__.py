"""Where trees come from: folders and images; what of them is read."""
