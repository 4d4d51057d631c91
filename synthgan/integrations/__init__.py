"""scikit-learn and Ray."""
