"""Landing: from the vendor's URL into object storage, whole or not at all."""
