"""What an image is made of and who says so: bills of material, provenance, licences, signatures."""
